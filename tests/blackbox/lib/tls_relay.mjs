// A port in plain text for a server that speaks TLS: what was written for TCP can then be tried over TLS, unchanged.
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';

/// Listens on a free port until the test ends, and passes all on to `port`, whose certificate is of `ca` (PEM).
/// Gives the free port.
export async function startTlsRelay(t, port, ca) {
  const sockets = new Set();
  const relay = net.createServer({ noDelay: true }, (plain) => {
    const secure = tls.connect({ host: '127.0.0.1', port, ca });
    for (const [from, to] of [[plain, secure], [secure, plain]]) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.end();
        sockets.delete(from);
      });
    }
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.after(() => {
    relay.close();
    for (const socket of sockets) socket.destroy();
  });
  return relay.address().port;
}
