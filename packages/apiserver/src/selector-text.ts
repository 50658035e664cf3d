/** A LabelSelector in the text form that Scale.status.selector has. */
import { formatLabelSelector, type LabelSelector, requirementsOf } from "@flotilla/objects";

/** "" for a selector that selects everything or nothing. */
export function formatSelector(selector: LabelSelector): string {
  const requirements = requirementsOf(selector);
  return requirements ? formatLabelSelector(requirements) : "";
}
