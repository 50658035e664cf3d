/** What a patch is refused with: a Status, so that an API server can answer with it as it is. */
import { StatusError } from "@flotilla/objects";

export type RefusalCode = 400 | 413 | 422;

const reasons: Record<RefusalCode, string> = { 400: "BadRequest", 413: "RequestEntityTooLarge", 422: "Invalid" };

/** `code` 400: no valid patch; 413: it makes too much; 422: it does not apply to this object. */
export class PatchError extends StatusError {
  constructor(message: string, code: RefusalCode) {
    super({ apiVersion: "v1", kind: "Status", metadata: {}, status: "Failure", message, reason: reasons[code], code });
    this.name = new.target.name;
  }
}

export class JsonPatchError extends PatchError {
  constructor(message: string, code: RefusalCode = 422) {
    super(message, code);
  }
}

export class StrategicMergePatchError extends PatchError {
  constructor(message: string, code: RefusalCode = 400) {
    super(message, code);
  }
}

/** The configuration is no valid one for its type. */
export class ApplyError extends PatchError {
  constructor(message: string) {
    super(message, 400);
  }
}
