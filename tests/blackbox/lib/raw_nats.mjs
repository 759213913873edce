// A NATS connection as bytes, for comparing what brokers really send.
import { once } from 'node:events';
import net from 'node:net';
import { until } from './wait.mjs';

export class RawNats {
  constructor(socket) {
    this.socket = socket;
    this.received = Buffer.alloc(0);
    this.ended = false;
    socket.on('data', (piece) => {
      this.received = Buffer.concat([this.received, piece]);
    });
    socket.on('error', () => {
      this.ended = true;
    });
    socket.on('close', () => {
      this.ended = true;
    });
  }

  /// Connects and waits for INFO.
  static async connect(t, port, host = '127.0.0.1') {
    const socket = net.connect({ port, host, noDelay: true });
    t.after(() => socket.destroy());
    const raw = new RawNats(socket);
    await once(socket, 'connect');
    await until('INFO', () => raw.text.includes('\r\n'));
    return raw;
  }

  /// What came, one character a byte.
  get text() {
    return this.received.toString('latin1');
  }

  get info() {
    return JSON.parse(this.text.slice('INFO '.length, this.text.indexOf('\r\n')));
  }

  /// What came after the first INFO, as all versions of nats-server agree on it: 2.9 writes two blanks where there is
  /// no reply, and a server may ask PING at any time.
  get transcript() {
    return this.text.slice(this.text.indexOf('\r\n') + 2)
      .replace(/^(H?MSG [^\r\n]*)\r\n/gm, (line) => line.replace(/ +/g, ' '))
      .replace(/^PING\r\n/gm, '');
  }

  send(bytes) {
    this.socket.write(Buffer.from(bytes, 'latin1'));
  }

  untilText(pattern, deadline_ms) {
    return until(`${pattern} in ${JSON.stringify(this.text.slice(-2000))}`, () => this.text.match(pattern), deadline_ms);
  }

  untilClosed(deadline_ms) {
    return until('the broker to close the connection', () => this.ended, deadline_ms);
  }

  /// Waits until everything sent so far was handled.
  async flush() {
    const count = () => this.text.split('PONG\r\n').length;
    const before = count();
    this.send('PING\r\n');
    await until('PONG', () => count() > before);
  }

  close() {
    this.socket.destroy();
  }
}
