// Between a TLS client and its server: what of a TLS 1.2 handshake anybody on the line can see, and a hand on the cable.
import { once } from 'node:events';
import net from 'node:net';

const HANDSHAKE = 22;
const CHANGE_CIPHER_SPEC = 20;
const CERTIFICATE = 11;

/// Reads the server's half of a handshake from its bytes: 'full' when it shows a certificate, 'resumed' when it goes on
/// without, undefined while that is open. A greeting in plain text (NATS' INFO) may come first.
function kindOfHandshake(bytes) {
  let at = bytes.subarray(0, 4).toString() === 'INFO' ? bytes.indexOf('\r\n') + 2 : 0;
  if (bytes.subarray(0, 4).toString() === 'INFO' && at === 1) return undefined;
  while (at + 5 <= bytes.length) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    if (bytes[at] === CHANGE_CIPHER_SPEC) return 'resumed';
    if (end > bytes.length) return undefined;
    for (let message = at + 5; bytes[at] === HANDSHAKE && message + 4 <= end; message += 4 + bytes.readUIntBE(message + 1, 3)) {
      if (bytes[message] === CERTIFICATE) return 'full';
    }
    at = end;
  }
  return undefined;
}

export class TlsWatch {
  /// Listens on a free port until the test ends and passes all on to `port`, which may be replaced.
  static async start(t, port) {
    const watch = new TlsWatch();
    watch.target = port;
    watch.handshakes = []; // 'full' or 'resumed', as they came
    watch.sockets = new Set();
    watch.server = net.createServer({ noDelay: true }, (near) => watch.#join(near));
    watch.server.listen(0, '127.0.0.1');
    await once(watch.server, 'listening');
    watch.port = watch.server.address().port;
    t.after(() => {
      watch.server.close();
      watch.cut();
    });
    return watch;
  }

  #join(near) {
    const far = net.connect({ host: '127.0.0.1', port: this.target, noDelay: true });
    let seen = Buffer.alloc(0);
    far.on('data', (piece) => {
      if (!seen) return;
      seen = Buffer.concat([seen, piece]);
      const kind = kindOfHandshake(seen);
      if (kind) this.handshakes.push(kind);
      if (kind) seen = undefined;
    });
    for (const [from, to] of [[near, far], [far, near]]) {
      this.sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.end();
        this.sockets.delete(from);
      });
    }
  }

  /// Tears all connections.
  cut() {
    for (const socket of this.sockets) socket.destroy();
  }
}
