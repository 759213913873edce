// Following license.status without the sidecar: the code that the client's README shows, in four languages, beside a
// real license server and broker.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './lib/folders.mjs';
import { LicenseServer } from './lib/license_server.mjs';
import { run, start, startLsys } from './lib/lsys.mjs';
import { findPython } from './lib/python.mjs';
import { freePort } from './lib/ports.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const readme = readFileSync(path.join(root, 'roles/license-client/README.md'), 'utf8');
const blockOf = (language) => readme.match(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``))[1];
const BUILD_DEADLINE_MS = 180_000;

/// Where Debian puts the sources of Go libraries, nats.go among them.
const GO_PATH = '/usr/share/gocode';

/// Several heartbeats of the server under test, and short enough to wait for.
const SILENCE_MS = 1500;

// ---- programs around the code, each prints a state a line: (folder, port) to [program, args], or why not ----

function inJavaScript(folder, port) {
  symlinkSync(path.join(root, 'tests/node_modules'), path.join(folder, 'node_modules'));
  writeFileSync(path.join(folder, 'follow.mjs'), blockOf('js'));
  const main = path.join(folder, 'main.mjs');
  writeFileSync(main, `import { followLicense } from './follow.mjs';
    await followLicense('nats://127.0.0.1:${port}', (license) => console.log(JSON.stringify(license)), ${SILENCE_MS});`);
  return [process.execPath, [main]];
}

async function inPython(folder, port) {
  const python = await findPython('asyncio');
  if (!python) return 'python3 is not here';
  writeFileSync(path.join(folder, 'follow.py'), blockOf('python'));
  const main = path.join(folder, 'main.py');
  writeFileSync(main, `import asyncio, json\nfrom follow import follow_license\n
def show(license):
    print(json.dumps(license), flush=True)

asyncio.run(follow_license("127.0.0.1", ${port}, show, ${SILENCE_MS / 1000}))\n`);
  return [python, [main]];
}

/// The environment of a build from Debian's packages of Go libraries, without modules and the network.
const goEnvironment = (folder) => ({
  GO111MODULE: 'off', GOFLAGS: '', GOPATH: `${path.join(folder, 'go')}:${GO_PATH}`, GOCACHE: path.join(folder, 'cache'),
});

async function inGo(folder, port) {
  const env = goEnvironment(folder);
  const found = await run('go', ['list', 'github.com/nats-io/nats.go'], { env }).catch(() => ({ code: -1 }));
  if (found.code !== 0) return 'go with nats.go is not here: apt-get install golang-go golang-github-nats-io-go-nats-dev';
  const sources = path.join(folder, 'go/src');
  mkdirSync(path.join(sources, 'license'), { recursive: true });
  mkdirSync(path.join(sources, 'main'));
  writeFileSync(path.join(sources, 'license/follow.go'), blockOf('go'));
  writeFileSync(path.join(sources, 'main/main.go'), `package main\n
import ("encoding/json"; "fmt"; "license"; "time")\n
func main() {
  states, err := license.Follow("nats://127.0.0.1:${port}", ${SILENCE_MS}*time.Millisecond)
  if err != nil { panic(err) }
  for state := range states {
    text, _ := json.Marshal(state)
    fmt.Println(string(text))
  }
}\n`);
  const looked = await run('gofmt', ['-e', '-d', path.join(sources, 'license/follow.go')]);
  assert.equal(looked.stdout + looked.stderr, '', 'as gofmt writes it');
  const binary = path.join(folder, 'follow');
  const built = await run('go', ['build', '-o', binary, 'main'], { env, deadline_ms: BUILD_DEADLINE_MS });
  assert.equal(built.code, 0, built.stderr);
  return [binary, []];
}

async function inC(folder, port) {
  const source = path.join(folder, 'follow.c');
  const binary = path.join(folder, 'follow');
  writeFileSync(source, blockOf('c'));
  const built = await run('cc', ['-Wall', '-Wextra', '-Werror', '-o', binary, source, '-lnats']);
  assert.equal(built.code, 0, built.stderr);
  return [binary, [`nats://127.0.0.1:${port}`, String(SILENCE_MS)]];
}

// ---- the test ----

/// The last state that a follower printed. In C it is the whole message.
function lastState(follower) {
  const line = follower.stdout.split('\n').filter(Boolean).at(-1);
  const state = line === undefined ? { edition: 'community' } : JSON.parse(line);
  return state.license ?? state;
}

for (const [language, prepare] of Object.entries({ JavaScript: inJavaScript, Python: inPython, Go: inGo, C: inC })) {
  test(`in ${language}: each license, community after silence, and back, also over a new broker`, async (t) => {
    const folder = temporaryFolder(t);
    const port = await freePort();
    const prepared = await prepare(folder, port);
    if (typeof prepared === 'string') return t.skip(prepared);
    const broker = () => startLsys(t, ['broker', '--listen', `127.0.0.1:${port}`]);
    const vendor = await Vendor.create(path.join(folder, 'vendor'));
    const license = await vendor.issue('acme.lic', ['--valid-for', '90d', '--feature', 'sso', '--feature', 'nodes=50']);
    const options = { license, nats: `nats://127.0.0.1:${port}`, dataDir: path.join(folder, 'data') };
    const firstBroker = broker();
    const firstServer = await LicenseServer.start(t, vendor, options);
    await firstServer.process.untilOutput(/connected to NATS/);

    const follower = start(t, ...prepared);
    const untilEdition = (edition) => until(`${edition} in ${language}; it printed: ${follower.output}`,
      () => follower.exit || lastState(follower).edition === edition);
    await untilEdition('enterprise');
    const { status, features } = lastState(follower);
    assert.deepEqual({ status, features }, { status: 'valid', features: { sso: true, nodes: 50 } });
    renameSync(await vendor.issue('next.lic', ['--edition', 'professional']), license);
    await untilEdition('professional');
    await firstServer.stop('SIGKILL');
    await untilEdition('community');
    assert.equal(lastState(follower).status, 'missing');

    await firstBroker.stop('SIGKILL');
    broker();
    await LicenseServer.start(t, vendor, options);
    await untilEdition('professional');
    assert.equal(follower.exit, undefined);
  });
}
