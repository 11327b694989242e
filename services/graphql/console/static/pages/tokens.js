import { useAnswer } from "../data/answer.js";
import { TOKENS } from "../data/documents.js";
import { useObservable } from "../data/observable.js";
import { store } from "../data/project_store.js";
import { may } from "../data/session.js";
import { openDialog } from "../dialog_host.js";
import { CreateTokenDialog } from "../dialogs/create_token.js";
import { RevokeTokenDialog } from "../dialogs/revoke_token.js";
import { Badge } from "../parts/badge.js";
import { Empty, Loading } from "../parts/empty.js";
import { Failure } from "../parts/failure.js";
import { Icon } from "../parts/icon.js";
import { Ago, useNow } from "../parts/moments.js";
import { html } from "../preact.js";

export function TokensPage() {
  if (!may("ADMIN")) {
    return html`<header class="page-head"><h1 tabindex="-1">API tokens</h1></header>
      <${Empty} title="Only admins see API tokens"><p>Ask somebody with the role admin.</p><//>`;
  }
  return html`<${Tokens} />`;
}

function Tokens() {
  const { data, error, reload } = useAnswer(TOKENS, {}, null);
  const revoke = (/** @type {Api.ApiToken} */ token) => openDialog(RevokeTokenDialog, { token, onDone: reload });
  return html`
    <header class="page-head">
      <h1 tabindex="-1">API tokens</h1>
      <button type="button" onClick=${() => openDialog(CreateTokenDialog, { onDone: reload })}><${Icon} name="plus" />Create token</button>
    </header>
    <p class="lead">What asks the API does it with a token of its own: named, with no more rights than it needs, and revoked when it is not needed any more.</p>
    <${Failure} error=${error} retry=${reload} />
    ${!data && !error && html`<${Loading} />`}
    ${data && data.apiTokens.length === 0 && html`<${Empty} title="No tokens"><p>You are signed in with the token of the environment, JDI_ADMIN_TOKEN.</p><//>`}
    ${data && data.apiTokens.length > 0 && html`<${Table} tokens=${data.apiTokens} onRevoke=${revoke} />`}
  `;
}

/** @param {{tokens: Api.ApiToken[], onRevoke: (token: Api.ApiToken) => void}} props */
function Table({ tokens, onRevoke }) {
  const now = useNow(10_000);
  const ordered = [...tokens].sort((one, other) => Number(usable(other, now)) - Number(usable(one, now)));
  return html`<table class="cards" role="table">
    <caption class="hidden">API tokens</caption>
    <thead><tr role="row">
      ${["Name", "State", "Role", "Projects", "Created", "Expires", "Last used"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
      <th scope="col" role="columnheader"><span class="hidden">Actions</span></th>
    </tr></thead>
    <tbody role="rowgroup">${ordered.map((token) => html`<${Row} key=${token.id} token=${token} now=${now} onRevoke=${onRevoke} />`)}</tbody>
  </table>`;
}

/** @param {Api.ApiToken} token @param {number} now */
const usable = (token, now) => !token.revokedAt && !(token.expiresAt && Date.parse(token.expiresAt) <= now);

/** @param {{token: Api.ApiToken, now: number, onRevoke: (token: Api.ApiToken) => void}} props */
function Row({ token, now, onRevoke }) {
  const good = usable(token, now);
  return html`<tr role="row" class=${good ? "" : "spent"}>
    <th scope="row" role="rowheader"><strong>${token.name}</strong><br /><span class="quiet code">jdi_${token.id}_…</span></th>
    <td role="cell" data-label="State"><${TokenState} token=${token} good=${good} /></td>
    <td role="cell" data-label="Role">${token.role.toLowerCase()}</td>
    <td role="cell" data-label="Projects"><${Scope} uids=${token.projects} /></td>
    <td role="cell" data-label="Created"><span><${Ago} at=${token.createdAt} /> <span class="quiet">by ${token.createdBy}</span></span></td>
    <td role="cell" data-label="Expires">${token.expiresAt ? html`<${Ago} at=${token.expiresAt} />` : "never"}</td>
    <td role="cell" data-label="Last used">${token.lastUsedAt ? html`<${Ago} at=${token.lastUsedAt} />` : "never"}</td>
    <td role="cell" class="actions">
      ${good && html`<button type="button" class="small outline danger" aria-label="Revoke ${token.name}" onClick=${() => onRevoke(token)}><${Icon} name="bin" />Revoke</button>`}
    </td>
  </tr>`;
}

/** @param {{token: Api.ApiToken, good: boolean}} props */
function TokenState({ token, good }) {
  if (good) return html`<${Badge} tone="good" icon="check">Usable<//>`;
  if (!token.revokedAt) return html`<${Badge} tone="idle" icon="clock">Expired<//>`;
  return html`<span><${Badge} tone="idle" icon="cross">Revoked<//> <span class="quiet"><${Ago} at=${token.revokedAt} />${token.revokedBy && ` by ${token.revokedBy}`}</span></span>`;
}

/** @param {{uids: string[] | null}} props */
function Scope({ uids }) {
  const { projects } = useObservable(store);
  if (uids === null) return html`<span>all</span>`;
  return html`<span>${uids.map((uid) => projects.get(uid)?.key ?? uid).join(", ")}</span>`;
}
