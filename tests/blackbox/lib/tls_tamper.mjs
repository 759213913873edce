// TLS 1.2 on the line, as somebody in the middle can read and rewrite it as long as it is not encrypted.
import { once } from 'node:events';
import net from 'node:net';

export const ALERT = 21;
export const HANDSHAKE = 22;
export const CHANGE_CIPHER_SPEC = 20;
export const APPLICATION_DATA = 23;
export const SERVER_HELLO = 2;
export const CERTIFICATE = 11;

export function record(type, body, version = 0x0303) {
  const head = Buffer.from([type, version >> 8, version & 255, 0, 0]);
  head.writeUInt16BE(body.length, 3);
  return Buffer.concat([head, Buffer.from(body)]);
}

const alertRecord = (number) => record(ALERT, [2, number]);
export { alertRecord as alert };

function uint24(number) {
  return Buffer.from([number >> 16, number >> 8 & 255, number & 255]);
}

function handshakeMessage(type, body) {
  return Buffer.concat([Buffer.from([type]), uint24(body.length), body]);
}

/// The body of a Certificate message with this chain (DER).
export function certificateBody(...chain) {
  const entries = Buffer.concat(chain.flatMap((der) => [uint24(der.length), der]));
  return Buffer.concat([uint24(entries.length), entries]);
}

/// A function that takes the bytes of one direction and gives them back, with each record changed by
/// change(type, body, number), which gives a record, or undefined to leave it; records are counted by type. `greeting`:
/// a line in plain text comes first.
export function rewriter(change, { greeting = false } = {}) {
  const counts = new Map();
  let held = Buffer.alloc(0);
  let inGreeting = greeting;
  return (piece) => {
    const out = [];
    held = Buffer.concat([held, piece]);
    if (inGreeting && held.includes('\r\n')) {
      const end = held.indexOf('\r\n') + 2;
      out.push(held.subarray(0, end));
      held = held.subarray(end);
      inGreeting = false;
    }
    while (!inGreeting && held.length >= 5 && held.length >= 5 + held.readUInt16BE(3)) {
      const whole = held.subarray(0, 5 + held.readUInt16BE(3));
      const number = counts.get(whole[0]) ?? 0;
      counts.set(whole[0], number + 1);
      out.push(change(whole[0], whole.subarray(5), number, counts) ?? whole);
      held = held.subarray(whole.length);
    }
    return Buffer.concat(out);
  };
}

/// A change for `rewriter`: gives the body of each plain handshake message of a type to `edit`, which gives another.
export function editMessage(wanted, edit) {
  return (type, body, number, counts) => {
    if (type !== HANDSHAKE || counts.get(CHANGE_CIPHER_SPEC)) return undefined;
    const messages = [];
    for (let at = 0; at < body.length;) {
      const end = at + 4 + body.readUIntBE(at + 1, 3);
      const content = body.subarray(at + 4, end);
      messages.push(body[at] === wanted ? handshakeMessage(wanted, edit(content)) : body.subarray(at, end));
      at = end;
    }
    return record(HANDSHAKE, Buffer.concat(messages));
  };
}

/// A TCP server on a free port until the test ends; `serve(socket)` for each connection. Gives the port.
export async function listen(t, serve) {
  const sockets = new Set();
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return server.address().port;
}

/// Listens and passes on to `port`. Each connection has rewriters of its own, made by `toServer()` and `toClient()`.
export function tamper(t, port, { toServer, toClient }) {
  return listen(t, (near) => {
    const far = net.connect({ host: '127.0.0.1', port, noDelay: true });
    for (const [from, to, make] of [[near, far, toServer], [far, near, toClient]]) {
      const change = make?.() ?? ((piece) => piece);
      from.on('data', (piece) => to.write(change(piece)));
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
}
