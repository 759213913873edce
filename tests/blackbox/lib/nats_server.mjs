// A stock nats-server in the background, on a port that stays its own across restarts.
import { temporaryFolder } from './folders.mjs';
import { start } from './lsys.mjs';
import { natsServers } from './peers.mjs';
import { freePort } from './ports.mjs';

export class NatsServer {
  /// Starts the newer of the two versions that lsys must work with. `port` when it is to be a certain one.
  static async start(t, { port } = {}) {
    const server = new NatsServer();
    server.t = t;
    server.port = port ?? await freePort();
    server.url = `nats://127.0.0.1:${server.port}`;
    await server.again();
    return server;
  }

  /// Starts it (again).
  async again() {
    const { program } = natsServers().at(-1);
    this.process = start(this.t, program, ['-a', '127.0.0.1', '-p', String(this.port), '-sd', temporaryFolder(this.t)]);
    await this.process.untilOutput(/Server is ready/);
  }

  stop() {
    return this.process.stop('SIGKILL');
  }
}
