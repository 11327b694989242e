/** Reading that stays current. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { reader } from "../../../../../services/graphql/console/static/data/reader.js";

/** A server that answers when the test says so. */
function server() {
  const asked = [];
  const read = (before) =>
    new Promise((answer, fail) => {
      asked.push({ before, answer, fail, at: performance.now() });
    });
  return { asked, read };
}

/** Waits until `holds`. */
async function until(holds) {
  for (let waited = 0; !holds(); waited += 1) {
    assert.ok(waited < 1_000, "it did not come to pass");
    await sleep(1);
  }
}

test("the last good answer is kept when a later reading fails, and the error goes with the next good one", async () => {
  const { asked, read } = server();
  const { state, reload } = reader(read, { pause: 0 });
  reload();
  await until(() => asked.length === 1);
  asked[0].answer("first");
  await until(() => state.get().answer === "first");
  reload();
  await until(() => asked.length === 2);
  asked[1].fail(new Error("The server does not answer."));
  await until(() => state.get().error);
  assert.equal(state.get().answer, "first");
  reload();
  await until(() => asked.length === 3);
  assert.equal(asked[2].before, "first");
  asked[2].answer("second");
  await until(() => state.get().answer === "second");
  assert.equal(state.get().error, null);
});

test("news during a reading lead to one more, and never to two at once", async () => {
  const { asked, read } = server();
  const { state, reload } = reader(read, { pause: 0 });
  reload();
  await until(() => asked.length === 1);
  for (let news = 0; news < 5; news += 1) reload();
  await sleep(10);
  assert.equal(asked.length, 1);
  asked[0].answer("older");
  await until(() => asked.length === 2);
  asked[1].answer("newer");
  await until(() => state.get().answer === "newer");
  await sleep(10);
  assert.equal(asked.length, 2);
});

test("many news are read once, after the pause", async () => {
  const { asked, read } = server();
  const { reload, stop } = reader(read, { pause: 60 });
  reload();
  await until(() => asked.length === 1);
  asked[0].answer(1);
  await sleep(1);
  for (let news = 0; news < 5; news += 1) reload();
  await until(() => asked.length === 2);
  assert.ok(asked[1].at - asked[0].at > 55, "it waited");
  asked[1].answer(2);
  await sleep(80);
  assert.equal(asked.length, 2);
  stop();
});

test("what is amended during a reading is not lost to an older answer for good", async () => {
  const { asked, read } = server();
  const { state, reload, change } = reader(read, { pause: 0 });
  change(() => assert.fail("there is nothing to amend yet"));
  reload();
  await until(() => asked.length === 1);
  asked[0].answer("read");
  await until(() => state.get().answer === "read");
  reload();
  await until(() => asked.length === 2);
  change((answer) => `${answer}, amended`);
  assert.equal(state.get().answer, "read, amended");
  asked[1].answer("read");
  await until(() => asked.length === 3);
});

test("what is found is merged into the answer as it is then", async () => {
  const { asked, read } = server();
  const { state, reload, change } = reader(read, { pause: 0, merge: (before, found) => [...(before ?? []), found] });
  reload();
  await until(() => asked.length === 1);
  asked[0].answer("a");
  await until(() => state.get().answer);
  reload();
  await until(() => asked.length === 2);
  change((answer) => [...answer, "meanwhile"]);
  asked[1].answer("b");
  await until(() => state.get().answer.length === 3);
  assert.deepEqual(state.get().answer, ["a", "meanwhile", "b"]);
});

test("after the stop nothing is read and no answer counts", async () => {
  const { asked, read } = server();
  const { state, reload, stop } = reader(read, { pause: 0 });
  reload();
  await until(() => asked.length === 1);
  stop();
  asked[0].answer("too late");
  reload();
  await sleep(10);
  assert.deepEqual([state.get().answer, asked.length], [null, 1]);
});
