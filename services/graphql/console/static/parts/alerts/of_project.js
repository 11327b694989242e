import { useObservable } from "../../data/observable.js";
import { alertsOf, store } from "../../data/project_store.js";
import { may } from "../../data/session.js";
import { openDialog } from "../../dialog_host.js";
import { SilenceDialog } from "../../dialogs/silence.js";
import { html } from "../../preact.js";
import { alertsAddress } from "../../route.js";
import { errorOf } from "../../text/project_state.js";
import { Icon } from "../icon.js";
import { AlertList } from "./card.js";
import { Silences } from "./silences.js";

/** What needs attention in a project. @param {{project: Api.Project, silences: Api.Silence[], onChange: () => void}} props */
export function ProjectAlerts({ project, silences, onChange }) {
  const { alerts } = useObservable(store);
  const open = alertsOf(alerts, project.uid);
  const silence = () => openDialog(SilenceDialog, { uid: project.uid, projectKey: project.key, onDone: onChange });
  return html`<section>
    <header class="section-head">
      <h2>Alerts</h2>
      <div class="actions">
        <a href=${alertsAddress({ project: project.uid })}><${Icon} name="bell" />All alerts</a>
        ${may("OPERATOR") && html`<button type="button" class="small outline" aria-label="Silence alerts of ${project.key}" onClick=${silence}><${Icon} name="mute" />Silence</button>`}
      </div>
    </header>
    <${Silences} project=${project} silences=${silences} onChange=${onChange} />
    ${open.length ? html`<${AlertList} label="Open alerts" alerts=${open} withProject=${false} shown=${errorOf(project)?.code} />` : html`<p class="quiet">None is open.</p>`}
  </section>`;
}
