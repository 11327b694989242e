/** Addresses within the console. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { alertAddress, alertsAddress, logsAddress, projectAddress, routeOf } from "../../../../../services/graphql/console/static/route.js";

test("what an address names", () => {
  const table = [
    ["", "projects", ""],
    ["#/", "projects", ""],
    ["#/projects", "projects", ""],
    ["#/project/acme%3ADEMO", "project", "acme:DEMO"],
    ["#/logs?project=acme%3ADEMO&level=ERROR", "logs", ""],
    ["#/nowhere", "nowhere", ""],
  ];
  for (const [hash, page, id] of table) {
    const route = routeOf(hash);
    assert.deepEqual([route.page, route.id], [page, id], hash);
  }
});

test("whatever an id is made of, its address leads back to it", () => {
  const characters = [..."aZ9:/?#%&=+ ._-~äß✓😀"];
  for (let round = 0; round < 500; round += 1) {
    const id = Array.from({ length: 1 + (round % 9) }, () => characters[Math.floor(Math.random() * characters.length)]).join("");
    assert.equal(routeOf(projectAddress(id)).id, id);
    assert.equal(routeOf(alertAddress(id)).id, id);
    assert.equal(routeOf(logsAddress({ text: id })).search.get("text"), id);
  }
});

test("filters that are empty leave no trace", () => {
  assert.equal(alertsAddress({ project: "", code: null, status: undefined }), "#/alerts");
  assert.equal(alertsAddress({ project: "acme:DEMO", code: "" }), "#/alerts?project=acme%3ADEMO");
});
