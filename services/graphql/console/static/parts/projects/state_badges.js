import { html } from "../../preact.js";
import { STATES } from "../../text/project_state.js";
import { Badge } from "../badge.js";

/** How a project stands; that it is slowed down also while a run is in progress. @param {{project: Api.Project, state: import("../../text/project_state.js").State}} props */
export function StateBadges({ project, state }) {
  const both = state === STATES.busy && project.syncJob?.backoff ? [state, STATES.slowed] : [state];
  return both.map(({ name, tone, icon, text }) => html`<${Badge} key=${name} tone=${tone} icon=${icon}>${text}<//> `);
}
