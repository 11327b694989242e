import { html } from "../../preact.js";

/** How far the run in progress is. @param {{project: Api.Project}} props */
export function RunProgress({ project }) {
  const job = project.syncJob;
  if (!job?.running) return null;
  const known = job.pagesTotal !== null && job.pagesTotal > 0;
  const text = known ? `${job.pagesDone} of ${job.pagesTotal} pages` : `${job.pagesDone} pages`;
  const amount = known ? { value: job.pagesDone, max: job.pagesTotal } : {};
  return html`<div class="run-progress">
    <progress aria-label="Sync of ${project.key}" ...${amount}></progress>
    <span class="quiet">${text}</span>
  </div>`;
}
