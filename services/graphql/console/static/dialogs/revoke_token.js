import { say, useCommand } from "../commands.js";
import { REVOKE_TOKEN } from "../documents.js";
import { html } from "../preact.js";
import { CommandDialog } from "../parts/dialog.js";
import { OtherErrors } from "../parts/failure.js";

/** @param {{token: import("../types.js").ApiToken, onDone: () => void, onClose: () => void}} props */
export function RevokeTokenDialog({ token, onDone, onClose }) {
  const command = useCommand(() => {
    say(`Token “${token.name}” is revoked.`);
    onDone();
    onClose();
  });
  return html`<${CommandDialog} title="Revoke “${token.name}”?" submit="Revoke" danger command=${command}
      onSubmit=${() => command.send(REVOKE_TOKEN, { id: token.id })} onClose=${onClose}>
    <p>Whatever uses it is refused from now on, and its open sessions end. This cannot be taken back; the token stays in the list as revoked.</p>
    <${OtherErrors} errors=${command.errors} fields=${[]} />
  <//>`;
}
