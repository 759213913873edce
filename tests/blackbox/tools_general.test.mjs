// What all commands do alike: help, mistakes, names, completion; and the configuration as `lsys config` shows it.
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { temporaryFolder } from './lib/folders.mjs';
import { binary, lsys, lsysOk, run } from './lib/lsys.mjs';

let names;

before(async () => {
  names = [...(await lsysOk(['help'])).matchAll(/^ {2}([a-z][a-z-]*) +\S/gm)].map((match) => match[1]);
});

describe('help', () => {
  test('lists the commands and is what lsys alone, --help and -h print', async () => {
    assert.ok(names.length >= 12, names.join());
    const help = await lsysOk(['help']);
    for (const args of [[], ['--help'], ['-h']]) assert.equal(await lsysOk(args), help);
    for (const line of help.split('\n')) assert.ok(line.length <= 100, line);
  });

  test('of each command names every flag once and says something about each', async () => {
    for (const name of names) {
      const help = await lsysOk([name, '--help']);
      assert.equal(await lsysOk(['help', name]), help);
      const flags = [...help.matchAll(/^ {2}(--[a-z0-9-]+)/gm)].map((match) => match[1]);
      assert.deepEqual(flags, [...new Set(flags)], name);
      assert.ok(flags.includes('--help'), name);
      const codes = [...help.slice(help.indexOf('Exit codes:')).matchAll(/^ {2}(\d+) /gm)].map((match) => match[1]);
      assert.ok(codes.includes('0') && codes.includes('64'), name);
      assert.deepEqual(codes, [...new Set(codes)], `${name}: each exit code once`);
      const [usage, ...lines] = help.split('\n').slice(2);
      assert.match(usage, /^Usage: lsys /);
      for (const line of lines) assert.ok(line.length <= 100, `${name}: ${line}`);
      for (const match of help.matchAll(/^ {2}--\S+(?: \S+)?(?: {2,}|\n {34})(.+)$/gm)) assert.ok(match[1].length > 8, match[0]);
    }
  });

  test('as a man page is troff without mistakes', async (t) => {
    for (const name of [undefined, ...names]) {
      const page = await lsysOk(['help', ...(name ? [name] : []), '--man']);
      assert.match(page, /^\.TH LSYS/);
      const checked = await run('groff', ['-man', '-ww', '-z', '-K', 'utf8'], { input: page }).catch(() => null);
      if (!checked) return t.diagnostic('groff is not installed; the pages were only made');
      assert.equal(checked.stderr, '', name);
    }
  });
});

describe('mistakes', () => {
  test('in the name of a command', async () => {
    const result = await lsys(['verfy']);
    assert.equal(result.code, 64);
    assert.match(result.stderr, /there is no command "verfy"; did you mean "verify"\?/);
    const nothing = await lsys(['frobnicate']);
    assert.equal(nothing.code, 64);
    assert.doesNotMatch(nothing.stderr, /did you mean/);
    const help = await lsys(['help', 'isue']);
    assert.equal(help.code, 64);
    assert.match(help.stderr, /did you mean issue/);
  });

  test('in a flag, for every command', async () => {
    for (const name of names) {
      const result = await lsys([name, '--no-such-flag-anywhere']);
      assert.equal(result.code, 64, name);
      assert.match(result.stderr, /there is no flag --no-such-flag-anywhere/);
      assert.match(result.stderr, new RegExp(`see "lsys ${name} --help"`));
      assert.equal(result.stdout, '');
    }
  });

  test('with escapes and line breaks stay on their line', async () => {
    const result = await lsys(['help', 'a\n\x1b[31mred']);
    assert.equal(result.code, 64);
    assert.ok(!result.stderr.includes('\x1b'), JSON.stringify(result.stderr));
  });
});

test('a reader that has seen enough is not complained about', async () => {
  const result = await run('sh', ['-c', `"${binary}" version --licenses | head -n 1`]);
  assert.match(result.stdout, /^lsys [\d.]+ .*\n$/);
  assert.equal(result.stderr, '');
});

describe('names', () => {
  test('a link named after a command runs it, and --install makes one for each', async (t) => {
    const folder = path.join(temporaryFolder(t), 'bin');
    await lsysOk(['--install', folder]);
    assert.deepEqual(readdirSync(folder).sort(), [...names].sort());
    assert.ok(lstatSync(path.join(folder, 'verify')).isSymbolicLink());
    const result = await run(path.join(folder, 'version'), []);
    assert.equal(result.code, 0);
    assert.equal(result.stdout, await lsysOk(['version']));
    await lsysOk(['--install', folder]);
    const other = path.join(temporaryFolder(t), 'other-name');
    symlinkSync(binary, other);
    assert.equal((await run(other, ['version'])).stdout, result.stdout);
  });

  test('--install leaves files alone that are no links', async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(path.join(folder, 'verify'), 'mine');
    const result = await lsys(['--install', folder]);
    assert.notEqual(result.code, 0);
    assert.ok(result.stderr.includes(path.join(folder, 'verify')));
    assert.ok(lstatSync(path.join(folder, 'verify')).isFile());
  });
});

describe('completion', () => {
  /// What bash offers after the given words, of which the last is being typed.
  async function complete(...words) {
    const script = `eval "$("$1" completion bash)"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lsys; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const result = await run('bash', ['-c', script, 'bash', binary, ...words]);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(result.stderr, '');
    return result.stdout.split('\n').filter(Boolean);
  }

  test('offers commands, flags, choices and actions', async () => {
    assert.deepEqual((await complete('lsys', '')).sort(), [...names].sort());
    assert.deepEqual(await complete('lsys', 'keyg'), ['keygen']);
    assert.ok((await complete('lsys', 'issue', '--val')).includes('--valid-for'));
    assert.deepEqual(await complete('lsys', 'keygen', '--type', ''), ['p256', 'ed25519']);
    assert.ok((await complete('lsys', 'revoke', '')).includes('remove'));
  });
});

describe('version', () => {
  test('names lsys, every library and its licence', async () => {
    const about = JSON.parse(await lsysOk(['version', '--json']));
    assert.match(about.version, /^\d+\.\d+\.\d+$/);
    assert.ok((await lsysOk(['--version'])).startsWith(`lsys ${about.version}`));
    assert.ok(about.libraries.length >= 10);
    const texts = await lsysOk(['version', '--licenses']);
    for (const { name, version, license, why } of about.libraries) {
      assert.ok(version && license && why, name);
      assert.ok(texts.includes(`==== ${name} ${version}`));
    }
    assert.match(texts, /relink/);
  });
});

describe('the configuration', () => {
  /// A folder of *.conf files; gives the flags to use it.
  function configured(t, files) {
    const folder = path.join(temporaryFolder(t), 'conf.d');
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
    return ['--config-dir', folder];
  }

  test('is good when there is none', async (t) => {
    const result = await lsys(['config', 'check'], { cwd: temporaryFolder(t) });
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /the configuration is good/);
  });

  const mistakes = [
    ['an unknown key', '[log]\nlevle = debug\n', /a\.conf:2: there is no key "levle" in section \[log\]; did you mean level/],
    ['an unknown section', '[logg]\nlevel = debug\n', /a\.conf:2: there is no section \[logg\]; did you mean log/],
    ['a bad value', '[log]\n\nlevel = loud\n', /a\.conf:3: level: "loud" is not one of debug\|info\|warning\|error/],
    ['a duplicate', '[log]\nlevel = info\nlevel = debug\n', /a\.conf:3: "level" is given twice, first in line 2/],
    ['no section', 'level = debug\n', /a\.conf:1: /],
    ['binary garbage', '\x00\x01\xff\n', /a\.conf/],
    ['a line without =', '[log]\nlevel\n', /a\.conf:2: /],
  ];
  for (const [what, text, message] of mistakes) {
    test(`with ${what} names file and line`, async (t) => {
      const result = await lsys(['config', 'check', ...configured(t, { 'a.conf': text })]);
      assert.equal(result.code, 78, result.stderr);
      assert.match(result.stderr, message);
    });
  }

  test('from the environment is judged too', async (t) => {
    const flags = configured(t, {});
    const bad = await lsys(['config', 'check', ...flags], { env: { LSYS_LOG_LEVEL: 'loud' } });
    assert.equal(bad.code, 78);
    assert.match(bad.stderr, /LSYS_LOG_LEVEL: "loud"/);
    const unknown = await lsys(['config', 'check', ...flags], { env: { LSYS_LOG_LEVLE: 'info' } });
    assert.equal(unknown.code, 78);
    assert.match(unknown.stderr, /did you mean LSYS_LOG_LEVEL/);
    const elsewhere = await lsys(['config', 'check'], { env: { LSYS_CONFIG_DIR: '/nowhere' } });
    assert.equal(elsewhere.code, 66);
    assert.match(elsewhere.stderr, /\/nowhere/);
  });

  test('has a template with every key, which is good when its comments are taken away', async (t) => {
    const template = await lsysOk(['config', 'template']);
    const sections = [...template.matchAll(/^\[(.+)\]$/gm)].map((match) => match[1]);
    assert.ok(sections.includes('license-client') && sections.includes('log'));
    assert.deepEqual(sections, [...new Set(sections)]);
    assert.equal((await lsys(['config', 'check', ...configured(t, { 'a.conf': template })])).code, 0);
    const spoken = template.replace(/^#([a-z_.]+ = .+)$/gm, '$1');
    assert.ok(spoken.length < template.length - 3);
    const result = await lsys(['config', 'check', ...configured(t, { 'a.conf': spoken })]);
    assert.equal(result.code, 0, result.stderr);
  });

  test('a directory or an unreadable thing named *.conf is an error', async (t) => {
    const flags = configured(t, {});
    mkdirSync(path.join(flags[1], 'a.conf'));
    const result = await lsys(['config', 'check', ...flags]);
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, /a\.conf/);
  });
});

describe('tools that ask a role', () => {
  // Port 9 (discard) is below those that tests or roles use.
  const nobody = 'http://127.0.0.1:9';

  test('say when nobody answers', async () => {
    for (const args of [['check', '--client', nobody], ['check', 'sso', '--client', nobody], ['health', nobody],
      ['status', '--client', nobody, '--server', nobody], ['check', '--client', 'unix:/nowhere/socket']]) {
      const result = await lsys(args);
      assert.ok([66, 69].includes(result.code), `${args}: ${result.code} ${result.stderr}`);
      assert.ok((result.stderr + result.stdout).length > 20);
    }
  });

  test('refuse URLs that are none', async () => {
    for (const url of ['127.0.0.1:8002', 'file:///etc/passwd', 'http://', 'ftp://x', 'http://a b', '']) {
      const result = await lsys(['check', '--client', url]);
      assert.equal(result.code, 78, `${url}: ${result.stderr}`);
    }
  });
});
