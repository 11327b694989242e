/**
 * One WebSocket a tab, speaking graphql-transport-ws: it comes back by itself and subscribes anew to everything.
 *
 * A tab that is hidden holds no socket; when it is seen again it connects, and its subscribers fetch what they missed.
 */
import { observable } from "./observable.js";

const FIRST_WAIT = 300; // ms before the second attempt; doubled from then on
const LONGEST_WAIT = 5_000;
const PING_EVERY = 10_000; // a connection that died without a word is noticed within two of these

/** @typedef {"off" | "connecting" | "live" | "reconnecting" | "asleep"} Connection */

/** How the connection is. @type {import("./observable.js").Observable<Connection>} */
export const connection = observable(/** @type {Connection} */ ("off"));

/**
 * @template {keyof Api.Operations} Name
 * @typedef {object} Subscriber
 * @property {Api.Document<Name>} document
 * @property {() => Api.Operations[Name]["variables"]} [variables] asked at every (re)connect, so that a cursor is the newest
 * @property {(data: Api.Operations[Name]["data"]) => void} next
 * @property {() => void} [opened] every time a subscription was sent: what came before may be missing
 * @property {(errors: {message: string}[]) => void} [failed] without it, an error is a lost connection
 */

/** @type {Map<string, Subscriber<any>>} */
const subscribers = new Map();
/** @type {WebSocket | null} */
let socket = null;
let ready = false;
let started = false;
let attempts = 0;
let timer = 0;
let lastMessageAt = 0;
let number = 0;
/** Called when a connection could not be opened: an HTTP question finds out whether we are signed out. */
let doubt = () => {};

/** @param {{onDoubt: () => void}} options */
export function startLive({ onDoubt }) {
  doubt = onDoubt;
  started = true;
  connection.set("connecting");
  connect();
}

export function stopLive() {
  started = false;
  drop();
  connection.set("off");
}

/**
 * @template {keyof Api.Operations} Name
 * @param {Subscriber<Name>} subscriber
 * @returns {() => void} ends it
 */
export function subscribe(subscriber) {
  const id = String(++number);
  subscribers.set(id, subscriber);
  if (ready) open(id, subscriber);
  return () => {
    if (subscribers.delete(id) && ready) send({ id, type: "complete" });
  };
}

function connect() {
  clearTimeout(timer);
  if (!started || socket || document.hidden) return;
  const address = new URL("/graphql", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const mine = new WebSocket(address, "graphql-transport-ws");
  socket = mine;
  mine.onopen = () => send({ type: "connection_init" });
  mine.onmessage = (message) => socket === mine && receive(JSON.parse(message.data));
  mine.onclose = () => socket === mine && lost();
}

/** @param {any} message */
function receive(message) {
  lastMessageAt = Date.now();
  const subscriber = subscribers.get(message.id);
  if (message.type === "connection_ack") {
    ready = true;
    connection.set("live");
    for (const [id, each] of subscribers) open(id, each);
  } else if (message.type === "next" && message.payload.data) {
    attempts = 0; // only now: a server that accepts and ends at once must not be asked without pause
    subscriber?.next(message.payload.data);
  } else if (message.type === "error" && subscriber?.failed) {
    subscriber.failed(message.payload);
  } else if (message.type === "ping") {
    send({ type: "pong" });
  } else if (message.type === "error" || (message.type === "complete" && subscriber)) {
    lost(); // the server ended it, as it does when it stops or when our token is no longer good
  }
}

/**
 * @param {string} id
 * @param {Subscriber<any>} subscriber
 */
function open(id, { document, variables, opened }) {
  opened?.();
  send({ id, type: "subscribe", payload: { query: document, variables: variables?.() ?? {} } });
}

function lost() {
  drop();
  if (!started) return;
  connection.set(document.hidden ? "asleep" : "reconnecting");
  doubt();
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempts++);
  timer = setTimeout(connect, wait * (0.75 + Math.random() / 2));
}

function drop() {
  clearTimeout(timer);
  const old = socket;
  socket = null;
  ready = false;
  old?.close();
}

/** @param {object} message */
function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

setInterval(() => {
  if (!ready) return;
  if (Date.now() - lastMessageAt > 2 * PING_EVERY) lost();
  else send({ type: "ping" });
}, PING_EVERY);

document.addEventListener("visibilitychange", () => {
  if (!started) return;
  if (document.hidden) {
    drop();
    connection.set("asleep");
  } else {
    attempts = 0;
    connection.set("reconnecting");
    connect();
  }
});

addEventListener("online", () => connect());
