import { report, useCommand } from "../data/commands.js";
import { REVOKE_TOKEN } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { html } from "../preact.js";

/** @param {{token: Api.ApiToken, onDone: () => void, onClose: () => void}} props */
export function RevokeTokenDialog({ token, onDone, onClose }) {
  const command = useCommand(REVOKE_TOKEN, () => {
    report(`Token “${token.name}” is revoked.`);
    onDone();
    onClose();
  });
  return html`<${CommandDialog} title="Revoke “${token.name}”?" submit="Revoke" danger command=${command}
      onSubmit=${() => command.send({ id: token.id })} onClose=${onClose}>
    <p>Whatever uses it is refused from now on, and its open sessions end. This cannot be taken back; the token stays in the list as revoked.</p>
    <${OtherErrors} errors=${command.errors} fields=${[]} />
  <//>`;
}
