// Free TCP ports on loopback.
import net from 'node:net';

const given = new Set();

/// Returns a port that nothing listened on a moment ago, and each port once only: what gets several at once must not get
/// one twice. Ports below the system's ephemeral range (32768 on Linux) are tried at random, so that no outgoing
/// connection takes the port before the test does.
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (given.has(port)) continue;
    given.add(port);
    if (await canListen(port)) return port;
  }
}

function canListen(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
