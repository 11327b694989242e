/** Records that are set aside, as text. */

/** "1 record", "1,200 records". @param {number} count */
export const recordsText = (count) => `${count.toLocaleString()} ${count === 1 ? "record" : "records"}`;

/** What Jira showed, laid out where it is whole: a record that was cut is no JSON any more. @param {string} raw */
export function rawText(raw) {
  try {
    return JSON.stringify(JSON.parse(raw), null, 2);
  } catch {
    return raw;
  }
}
