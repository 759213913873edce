// GET /api/licenses/current of cache-slave against nginx (a static file of the same bytes, and proxy_cache), Varnish, and
// the least that a server can do; all in one run and in turn. Then the same with 1, 100 and 100,000 licenses on the
// slave's shelf, and the time that a restart with 100,000 takes.
//
// Started by tests/bench/run, which sees to what it needs; Varnish is left out where it is not installed.
import { createPrivateKey, sign } from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { binary } from '../blackbox/lib/lsys.mjs';
import { freePort } from '../blackbox/lib/ports.mjs';
import { until } from '../blackbox/lib/wait.mjs';
import { asServer, cpuSeconds, median, memoryMiB, missing, underWrk } from './measure.mjs';

const SIZES = [1, 100, 100_000];
const CONNECTIONS = 64;
const SYNC_DEADLINE_MS = 120_000;
const repeat = Number(process.env.REPEAT ?? 3);
const seconds = process.env.SECONDS_EACH ?? '2';
const tools = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../build/bench');

const folder = mkdtempSync(path.join(tmpdir(), 'lsys-bench-'));
const at = (name) => path.join(folder, name);
const environment = { ...process.env, SECRET_INTERNAL_API_KEY: 'a-key-for-the-bench-0123456789' };
const children = [];

function start(argv) {
  const [program, ...args] = asServer(argv);
  const child = spawn(program, args, { env: environment, stdio: 'ignore' });
  children.push(child);
  return child;
}

async function stop(child) {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => { child.on('exit', resolve); });
    child.kill();
    await ended;
  }
}

const answers = (url, deadline_ms) => until(url, async () => (await fetch(url)).status === 200, deadline_ms);

// ---- licenses ----

/// Makes a vendor's key of the type ('p256' or 'ed25519').
function makeVendor(type) {
  const name = at(`vendor-${type}`);
  execFileSync(binary, ['keygen', '--out', name, '--type', type], { stdio: 'ignore' });
  const jwk = JSON.parse(readFileSync(path.join(name, 'vendor.key.jwk')));
  const { kid } = JSON.parse(readFileSync(path.join(name, 'vendor.jwks'))).keys[0];
  return { jwks: path.join(name, 'vendor.jwks'), kid, ed25519: type === 'ed25519', key: createPrivateKey({ key: jwk, format: 'jwk' }) };
}

/// The tokens of so many licenses, one a line. All are of one place, and the last one is the current one.
function makeTokens({ key, kid, ed25519 }, count) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const header = encode({ alg: ed25519 ? 'EdDSA' : 'ES256', typ: 'license+jwt', kid });
  const lines = Array.from({ length: count }, (_, index) => {
    const claims = encode({ iss: 'Vendor', sub: 'Bench', jti: `bench-${String(index).padStart(6, '0')}`, iat: now, nbf: now,
      exp: now + 90 * 86_400, edition: 'enterprise', features: { sso: true, nodes: 50 }, serial: index + 1 });
    const input = Buffer.from(`${header}.${claims}`);
    const signature = ed25519 ? sign(null, input, key) : sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  });
  return `${lines.join('\n')}\n`;
}

const fillShelf = (dataDir, role, tokens) =>
  execFileSync(path.join(tools, 'fill_shelf'), [dataDir, role], { input: tokens, maxBuffer: 1 << 20 });

async function startMaster(vendor, dataDir) {
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = start([binary, 'cache-master', '--keys', vendor.jwks, '--data-dir', dataDir, '--http', url.slice(7)]);
  await answers(`${url}/readyz`);
  return { child, url };
}

async function startSlave(vendor, dataDir, masterUrl) {
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = start([binary, 'cache-slave', '--keys', vendor.jwks, '--data-dir', dataDir, '--master', masterUrl, '--http', url.slice(7)]);
  return { child, url: `${url}/api/licenses/current`, health: `${url}/readyz` };
}

/// A slave that has pulled so many licenses from a master.
async function startSyncedSlave(vendor, size) {
  fillShelf(at(`master-${size}`), 'cache-master', makeTokens(vendor, size));
  const master = await startMaster(vendor, at(`master-${size}`));
  const slave = await startSlave(vendor, at(`slave-${size}`), master.url);
  const last = `bench-${String(size - 1).padStart(6, '0')}`;
  await until(`${size} licenses`, async () => {
    const { licensed, sync_status, license } = await (await fetch(slave.url)).json();
    return licensed && sync_status === 'synced' && license.id === last;
  }, SYNC_DEADLINE_MS);
  return slave;
}

// ---- peers ----

async function startNginx(body) {
  const [files, cache] = [await freePort(), await freePort()];
  mkdirSync(at('www'));
  writeFileSync(at('www/current'), body);
  writeFileSync(at('nginx.conf'), `
worker_processes 1; daemon off; pid ${at('nginx.pid')}; error_log /dev/null; ${process.getuid() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off; default_type application/json; keepalive_requests 1000000000;
  proxy_cache_path ${at('cache')} keys_zone=bench:1m; proxy_temp_path ${at('tmp')}; client_body_temp_path ${at('tmp')};
  fastcgi_temp_path ${at('tmp')}; uwsgi_temp_path ${at('tmp')}; scgi_temp_path ${at('tmp')};
  server { listen 127.0.0.1:${files}; root ${at('www')}; open_file_cache max=10; }
  server { listen 127.0.0.1:${cache}; location / { proxy_cache bench; proxy_cache_valid 200 1h; proxy_pass http://127.0.0.1:${files}; } }
}`);
  const child = start(['nginx', '-c', at('nginx.conf')]);
  const [staticUrl, cacheUrl] = [files, cache].map((port) => `http://127.0.0.1:${port}/current`);
  await answers(cacheUrl);
  return { child, staticUrl, cacheUrl };
}

async function startVarnish(originUrl) {
  const port = await freePort();
  const child = start(['varnishd', '-F', '-n', at('varnish'), '-a', `127.0.0.1:${port}`, '-b', new URL(originUrl).host,
    '-s', 'malloc,16m', '-t', '3600']);
  const url = `http://127.0.0.1:${port}/current`;
  await answers(url);
  return { child, url };
}

/// Answers with what the slave answered, head included.
async function startCeiling(slaveUrl) {
  const port = await freePort();
  writeFileSync(at('answer'), execFileSync('curl', ['-si', slaveUrl]));
  const child = start([path.join(tools, 'null_http'), `${port}`, at('answer')]);
  const url = `http://127.0.0.1:${port}/`;
  await answers(url);
  return { child, url };
}

// ---- measuring ----

/// Adds to each server what it costs and how long it takes, the median of `repeat` runs of load, in turn.
function measure(servers) {
  for (const server of servers) server.runs = [];
  for (let i = 0; i < repeat; i++) {
    for (const server of servers) server.runs.push(underWrk(server.url, server.child.pid, { connections: CONNECTIONS, seconds }));
  }
  for (const server of servers) {
    for (const key of ['cost', 'p50', 'p99']) server[key] = median(server.runs.map((run) => run[key]));
    server.memory = memoryMiB(server.child.pid);
  }
}

function print(servers, ours) {
  const row = (name, ...cells) => console.log(name.padEnd(36) + cells.map((cell) => `${cell}`.padStart(13)).join(''));
  row(`${CONNECTIONS} kept connections`, 'CPU us', 'requests/s', 'p50 us', 'p99 us', 'MiB', 'lsys/this');
  row('', 'a request', 'a core');
  for (const { name, cost, p50, p99, memory } of servers) {
    row(name, cost.toFixed(1), Math.round(1e6 / cost), p50, p99, memory.toFixed(1), (ours.cost / cost).toFixed(2));
  }
}

/// From the start of the process to the first 200 of readyz: all of the time, and what the processor was used of it, in
/// milliseconds. The licenses are ES256, and none is verified yet.
async function measureRestart(count) {
  const vendor = makeVendor('p256');
  fillShelf(at('restarted'), 'cache-slave', makeTokens(vendor, count));
  // A master without licenses confirms what the slave has.
  const master = await startMaster(vendor, at('confirming'));
  const first = await startSlave(vendor, at('restarted'), master.url);
  await until('a confirmation', async () => (await (await fetch(first.url)).json()).sync_status === 'synced');
  await stop(first.child);
  await stop(master.child);
  const started = performance.now();
  const slave = await startSlave(vendor, at('restarted'), master.url);
  await answers(slave.health);
  const took = { all_ms: performance.now() - started, used_ms: 1000 * cpuSeconds(slave.child.pid) };
  const current = await (await fetch(slave.url)).json();
  if (!current.licensed || current.rests_on !== 'master') throw new Error(`after the restart: ${JSON.stringify(current)}`);
  await stop(slave.child);
  return took;
}

const AIMS = { 'nginx, static file': 1, 'nginx, proxy_cache': 0.5, Varnish: 0.33 };

try {
  const restart = await measureRestart(SIZES.at(-1));
  const vendor = makeVendor('ed25519');
  const slaves = [];
  for (const size of SIZES) {
    slaves.push({ name: `lsys cache-slave, ${size.toLocaleString('en')} license${size > 1 ? 's' : ''}`, ...await startSyncedSlave(vendor, size) });
  }
  const nginx = await startNginx(await (await fetch(slaves[0].url)).text());
  const peers = [
    { name: 'nginx, static file', child: nginx.child, url: nginx.staticUrl },
    { name: 'nginx, proxy_cache', child: nginx.child, url: nginx.cacheUrl },
  ];
  if (missing(['varnishd']).length === 0) peers.push({ name: 'Varnish', ...await startVarnish(nginx.staticUrl) });
  else console.log('Varnish: missing (apt-get install varnish)');
  peers.push({ name: 'the least possible (null_http)', ...await startCeiling(slaves[0].url) });
  measure([...slaves, ...peers]);
  print([...slaves, ...peers], slaves[0]);
  console.log();
  for (const { name, cost } of peers) {
    if (AIMS[name]) console.log(`of ${name}: ${(slaves[0].cost / cost).toFixed(2)} (aim: at most ${AIMS[name]})`);
  }
  console.log(`of the cost with one license, with ${SIZES.at(-1).toLocaleString('en')}: ${
    (slaves.at(-1).cost / slaves[0].cost).toFixed(2)} (aim: 1)`);
  console.log(`restart with ${SIZES.at(-1).toLocaleString('en')} ES256 licenses, to readyz: ${Math.round(restart.all_ms)} ms, ${
    Math.round(restart.used_ms)} ms of them on the processor (aim: below 2000)`);
} finally {
  await Promise.all(children.map(stop));
  rmSync(folder, { recursive: true, force: true });
}
