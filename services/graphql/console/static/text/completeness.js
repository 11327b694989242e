/** Whether all of a project is here: pure text of what the API says, and never more than was proved. */

/** @typedef {import("../parts/badge.js").Look} Look */

/** @type {Record<Api.CompletenessStatus, Look>} */
export const STANDINGS = {
  PROVED: { text: "Proved", tone: "good", icon: "check" },
  DIFFERENT: { text: "Differs, explained", tone: "idle", icon: "info" },
  STALE: { text: "Proof is old", tone: "warn", icon: "clock" },
  NEVER_PROVED: { text: "Never proved", tone: "idle", icon: "dots" },
  NEVER_SYNCED: { text: "Never synced", tone: "idle", icon: "dots" },
  FAILED: { text: "Census failed", tone: "warn", icon: "cross" },
  HELD_BACK: { text: "Held back", tone: "bad", icon: "warning" },
  UNEXPLAINED: { text: "Unexplained", tone: "bad", icon: "warning" },
};

/** @type {Record<string, string>} in a sentence that begins with a number */
export const CAUSES = {
  LATE: "late in Jira's index",
  OWED: "not read yet, asked for again",
  QUARANTINED: "set aside",
  RESTRICTED: "not shown to our account",
  HELD_BACK: "seem gone, held back",
  UNEXPLAINED: "unexplained",
};

/** @type {Record<string, string>} */
export const REASONS = {
  DELETED: "deleted",
  MOVED: "moved to another project",
  HIDDEN: "hidden from our account",
  POLICY: "kept from us by a data policy",
  UNTRACKED: "not watched any more",
};

/**
 * "1,204 of 1,204", "100 here, 60 in Jira"; null where no census has compared them.
 * @param {{hereThen: number | null, inJira: number | null} | undefined} compared
 */
export function countText(compared) {
  if (!compared || compared.hereThen === null || compared.inJira === null) return null;
  const [here, there] = [compared.hereThen.toLocaleString("en"), compared.inJira.toLocaleString("en")];
  return compared.hereThen > compared.inJira ? `${here} here, ${there} in Jira` : `${here} of ${there}`;
}

/** What stands before the moment of the last proof. @param {Api.CompletenessStatus} status */
export function provedText(status) {
  if (status === "UNEXPLAINED") return "compared"; // what nobody can explain is not proved
  return status === "HELD_BACK" || status === "FAILED" ? "last proved" : "proved";
}

/** "2 issues", "1 worklog". @param {number} number @param {string} noun */
export const manyText = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

/** Whether people have to look at it. @param {Api.CompletenessStatus} status */
export const asksForPeople = (status) => status === "HELD_BACK" || status === "UNEXPLAINED";

/** What is to be decided: the issues that would go. @param {{differences: {cause: string, ids: string[], keys: string[], number: number}[]}[]} compared */
export function heldBackOf(compared) {
  const held = compared.flatMap(({ differences }) => differences.filter(({ cause }) => cause === "HELD_BACK"));
  return held[0] ?? null;
}
