// Running the shipped program: to its end (`lsys`), or in the background (`startLsys`).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './wait.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/// The program under test: ./lsys, or LSYS_BINARY (such as build/asan/lsys).
export const binary = path.resolve(process.env.LSYS_BINARY ?? path.join(root, 'lsys'));

/// How long one run may take before the test fails.
const RUN_DEADLINE_MS = 20_000;

/// The environment of the tests without LSYS_ variables of the machine, and with `extra`.
function environment(extra = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LSYS_'));
  return { ...Object.fromEntries(inherited), ...extra };
}

/// Runs `program` with arguments to its end. `input` goes to stdin. Gives {code, signal, stdout, stderr}, texts.
export async function run(program, args, { input, env, cwd, deadline_ms = RUN_DEADLINE_MS } = {}) {
  const child = spawn(program, args, { env: environment(env), cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const stdout = [];
  const stderr = [];
  child.stdout.on('data', (piece) => stdout.push(piece));
  child.stderr.on('data', (piece) => stderr.push(piece));
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), deadline_ms);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  return { code, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

/// Runs lsys to its end: await lsys(['verify', file], {env}).
export function lsys(args, options) {
  return run(binary, args, options);
}

/// Runs lsys and fails unless it exits with 0. Gives its stdout.
export async function lsysOk(args, options) {
  const result = await lsys(args, options);
  if (result.code !== 0) {
    throw new Error(`lsys ${args.join(' ')}: exit ${result.code ?? result.signal}: ${result.stderr}${result.stdout}`);
  }
  return result.stdout;
}

/// A program that runs in the background, with all that it printed.
export class Background {
  constructor(program, args, { env, cwd } = {}) {
    this.name = path.basename(program);
    this.output = ''; // stdout and stderr as they came
    this.stdout = '';
    this.exit = undefined; // {code, signal} once it has ended
    this.child = spawn(program, args, { env: environment(env), cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout.on('data', (piece) => {
      this.stdout += piece;
      this.output += piece;
    });
    this.child.stderr.on('data', (piece) => {
      this.output += piece;
    });
    this.child.on('error', (error) => {
      this.output += error.message;
      this.exit = { code: null, signal: error.code };
    });
    this.child.on('close', (code, signal) => {
      this.exit ??= { code, signal };
    });
  }

  get pid() {
    return this.child.pid;
  }

  /// Waits until the output matches, and gives the match. Fails at once when the program ends before.
  async untilOutput(pattern, deadline_ms) {
    let ended = false;
    const match = await until(`${this.name} to print ${pattern}`, () => {
      const found = this.output.match(pattern);
      ended = !found && this.exit !== undefined;
      return found || ended;
    }, deadline_ms).catch((error) => {
      throw new Error(`${error.message}; it printed:\n${this.output}`);
    });
    if (ended) throw new Error(`${this.name} ended (${JSON.stringify(this.exit)}) before ${pattern}:\n${this.output}`);
    return match;
  }

  signal(name) {
    this.child.kill(name);
  }

  /// Waits for the end; gives {code, signal}.
  async ended(deadline_ms) {
    await until(`${this.name} to end; it printed:\n${this.output}`, () => this.exit, deadline_ms);
    return this.exit;
  }

  /// Asks it to stop (SIGTERM unless told otherwise) and waits for the end. Harmless when it has ended.
  async stop(signal = 'SIGTERM', deadline_ms = 5000) {
    if (!this.exit) this.child.kill(signal);
    return this.ended(deadline_ms);
  }
}

/// Starts a program that is killed at the latest when the test `t` ends.
export function start(t, program, args, options) {
  const background = new Background(program, args, options);
  t.after(async () => {
    if (!background.exit) background.signal('SIGKILL');
    await background.ended().catch(() => {});
  });
  return background;
}

/// Starts lsys in the background: startLsys(t, ['broker', '--listen', ...]). `wrapper` is a command that runs it, such
/// as ['timewarp', file].
export function startLsys(t, args, { wrapper = [], ...options } = {}) {
  const [program, ...rest] = [...wrapper, binary, ...args];
  return start(t, program, rest, options);
}
