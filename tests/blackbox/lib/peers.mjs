// The real nats-server, in the versions that third_party/packages.lock names. build.sh unpacks them before tests run.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const thirdParty = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../third_party');

function peer(name, folder) {
  const program = path.join(thirdParty, folder, 'usr/sbin/nats-server');
  if (!existsSync(program)) {
    throw new Error(`${program} is missing: run third_party/fetch ${folder}`);
  }
  return { name, program };
}

/// Both versions that lsys must work with, as {name, program}: for (const { name, program } of natsServers()) test(...)
export function natsServers() {
  return [peer('nats-server 2.9', 'peers-bookworm'), peer('nats-server 2.10', 'peers')];
}
