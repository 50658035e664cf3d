/** What the restricted Pod Security Standard asks for, and a root file system that nobody writes to. */
import type { PodSecurityContext, SecurityContext } from "@flotilla/objects";

export const restricted: { readonly pod: PodSecurityContext; readonly container: SecurityContext } = {
  pod: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  container: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  },
};

/** The user of the images that we build. */
export const builtUser: PodSecurityContext = {
  runAsUser: 1000,
  runAsGroup: 1000,
  fsGroup: 1000,
  fsGroupChangePolicy: "OnRootMismatch",
};
