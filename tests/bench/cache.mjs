// GET /api/licenses/current of cache-slave against nginx on this machine, in one run: the same bytes as a static file, and
// from nginx's proxy_cache. Needs nginx and wrk (Debian packages) and prints one row a server.
//
//   node tests/bench/cache.mjs [SECONDS]     LSYS_BINARY: another lsys than ./lsys
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { binary } from '../blackbox/lib/lsys.mjs';
import { freePort } from '../blackbox/lib/ports.mjs';
import { until } from '../blackbox/lib/wait.mjs';

const seconds = Number(process.argv[2] ?? 5);
const CONNECTIONS = 32;
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']));
const folder = mkdtempSync(path.join(tmpdir(), 'lsys-bench-'));
const children = [];

function start(program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  children.push(child);
  return child.pid;
}

const answers = (url) => until(url, async () => (await fetch(url)).status === 200);

/// A process and its children, which is how nginx works.
function family(pid) {
  const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => {
    try {
      return [Number(name), Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1].split(' ')[1])];
    } catch {
      return [0, 0];
    }
  });
  return [pid, ...parents.filter(([, parent]) => parent === pid).map(([child]) => child)];
}

function cpuSeconds(pid) {
  return family(pid).reduce((sum, member) => {
    const fields = readFileSync(`/proc/${member}/stat`, 'utf8').split(') ')[1].split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }, 0);
}

function memoryMiB(pid) {
  return family(pid).reduce((sum, member) =>
    sum + Number(readFileSync(`/proc/${member}/smaps_rollup`, 'utf8').match(/Pss: +(\d+)/)[1]) / 1024, 0);
}

/// Keep-alive load; gives what happened.
function load(url, pid) {
  const before = cpuSeconds(pid);
  const text = execFileSync('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', url]).toString();
  const requests = Number(text.match(/(\d+) requests in/)[1]);
  if (/Non-2xx/.test(text)) throw new Error(text);
  return {
    'requests/s': Math.round(Number(text.match(/Requests\/sec: +([\d.]+)/)[1])),
    'CPU us/request': Number(((cpuSeconds(pid) - before) / requests * 1e6).toFixed(1)),
    p50: text.match(/50% +(\S+)/)[1],
    p99: text.match(/99% +(\S+)/)[1],
    'memory MiB': Math.round(memoryMiB(pid)),
  };
}

async function startSlave() {
  const [master, slave] = [await freePort(), await freePort()];
  const env = { SECRET_INTERNAL_API_KEY: 'a-key-for-the-bench-0123456789' };
  const keys = path.join(folder, 'keys');
  const run = (...args) => execFileSync(binary, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  run('keygen', '--out', keys);
  run('issue', '--key', path.join(keys, 'vendor.key.jwk'), '--out', path.join(folder, 'bench.lic'), '--customer', 'Bench',
    '--edition', 'enterprise', '--feature', 'sso', '--feature', 'nodes=50', '--valid-for', '90d');
  start(binary, ['cache-master', '--keys', path.join(keys, 'vendor.jwks'), '--data-dir', path.join(folder, 'master'),
    '--import', path.join(folder, 'bench.lic'), '--http', `127.0.0.1:${master}`], env);
  const pid = start(binary, ['cache-slave', '--keys', path.join(keys, 'vendor.jwks'), '--data-dir', path.join(folder, 'slave'),
    '--master', `http://127.0.0.1:${master}`, '--http', `127.0.0.1:${slave}`], env);
  const url = `http://127.0.0.1:${slave}/api/licenses/current`;
  await until('a license', async () => (await (await fetch(url)).json()).licensed);
  return { pid, url };
}

async function startNginx(origin) {
  const [files, cache] = [await freePort(), await freePort()];
  const root = path.join(folder, 'www');
  mkdirSync(root);
  writeFileSync(path.join(root, 'current'), await (await fetch(origin)).text());
  const config = path.join(folder, 'nginx.conf');
  writeFileSync(config, `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log /dev/null;${
    process.getuid() === 0 ? ' user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off; default_type application/json; keepalive_requests 1000000000;
  proxy_cache_path ${folder}/cache keys_zone=bench:1m; proxy_temp_path ${folder}/tmp; client_body_temp_path ${folder}/tmp;
  fastcgi_temp_path ${folder}/tmp; uwsgi_temp_path ${folder}/tmp; scgi_temp_path ${folder}/tmp;
  server { listen 127.0.0.1:${files}; root ${root}; open_file_cache max=10; }
  server { listen 127.0.0.1:${cache}; location / { proxy_cache bench; proxy_cache_valid 200 1h;
    proxy_ignore_headers Cache-Control; proxy_pass http://127.0.0.1:${files}; } }
}`);
  const pid = start('nginx', ['-c', config]);
  const urls = { files: `http://127.0.0.1:${files}/current`, cache: `http://127.0.0.1:${cache}/current` };
  await answers(urls.cache);
  return { pid, urls };
}

try {
  const slave = await startSlave();
  const nginx = await startNginx(slave.url);
  console.table({
    'lsys cache-slave': load(slave.url, slave.pid),
    'nginx, static file': load(nginx.urls.files, nginx.pid),
    'nginx, proxy_cache': load(nginx.urls.cache, nginx.pid),
  });
} finally {
  for (const child of children) child.kill();
  await Promise.all(children.map((child) => child.exitCode ?? new Promise((resolve) => { child.on('exit', resolve); })));
  rmSync(folder, { recursive: true, force: true });
}
