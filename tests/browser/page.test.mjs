// The status page in a real browser: Debian's Chromium, driven through playwright-core.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { temporaryFolder } from '../blackbox/lib/folders.mjs';
import { untilAnswer } from '../blackbox/lib/http.mjs';
import { lsysOk, startLsys } from '../blackbox/lib/lsys.mjs';
import { freePort } from '../blackbox/lib/ports.mjs';

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const screenshots = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../build/screenshots');
let browser;

before(async () => {
  mkdirSync(screenshots, { recursive: true });
  browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
});
after(() => browser?.close());

async function stack(t, folder) {
  const ports = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort(), await freePort()];
  const [http, listen, server, client, master, slave] = ports.map((port) => `127.0.0.1:${port}`);
  const background = startLsys(t, ['up', '--data-dir', folder, '--http', http, '--listen', listen, '--server-http', server,
    '--client-http', client, '--master-http', master, '--slave-http', slave],
    { env: { LSYS_LICENSE_SERVER_HEARTBEAT_INTERVAL: '500ms' } });
  await untilAnswer(`http://${client}/v1/license`, (answer) => answer.status === 'valid');
  return { background, url: `http://${http}` };
}

/// A page whose errors and policy violations fail the test.
async function open(t, url, viewport) {
  const context = await browser.newContext({ viewport });
  t.after(() => context.close());
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()); });
  await page.goto(url);
  return { page, problems };
}

test('the page shows the license, the roles and a living heartbeat', async (t) => {
  const { url } = await stack(t, temporaryFolder(t));
  const { page, problems } = await open(t, url, { width: 1200, height: 900 });
  await page.waitForSelector('#verdict[data-status="valid"]');
  assert.equal(await page.textContent('#edition'), 'enterprise edition');
  assert.match(await page.textContent('#features'), /nodes 50/);
  assert.equal(await page.locator('.role').count(), 5);
  await page.waitForFunction(() => document.querySelectorAll('.role[data-ready="true"]').length === 5);
  await page.waitForSelector('#link[data-state="live"]');
  await page.waitForFunction(() => /\d+ s/.test(document.querySelector('#heartbeat-age').textContent));
  await page.screenshot({ path: path.join(screenshots, 'page.png'), fullPage: true });
  assert.deepEqual(problems, []);
});

test('a new license appears without a reload, and hostile names stay text', async (t) => {
  const folder = temporaryFolder(t);
  const { url } = await stack(t, folder);
  const { page, problems } = await open(t, url, { width: 1200, height: 900 });
  await page.waitForSelector('#verdict[data-status="valid"]');
  const demo = path.join(folder, 'demo');
  const hostile = '<img src=x onerror=alert(1)>';
  await lsysOk(['issue', '--key', path.join(demo, 'vendor.key.jwk'), '--issuer', 'lsys demo vendor', '--product', 'demo',
    '--customer', 'This machine', '--edition', hostile, '--valid-for', '5d', '--serial', '9', '--out', path.join(folder, 'next.lic')]);
  renameSync(path.join(folder, 'next.lic'), path.join(demo, 'demo.lic'));
  await page.waitForFunction((name) => document.querySelector('#edition').textContent.includes(name), hostile);
  assert.equal(await page.locator('main img').count(), 0);
  await page.waitForSelector('#verdict[data-status="expiring"]');
  assert.deepEqual(problems, []);
});

test('on a phone nothing is wider than the screen', async (t) => {
  const { url } = await stack(t, temporaryFolder(t));
  const { page } = await open(t, url, { width: 360, height: 740 });
  await page.waitForSelector('#verdict[data-status="valid"]');
  const { content, screen } = await page.evaluate(() => ({ content: document.documentElement.scrollWidth, screen: window.innerWidth }));
  assert.ok(content <= screen, `${content} > ${screen}`);
  await page.screenshot({ path: path.join(screenshots, 'phone.png'), fullPage: true });
});

test('when lsys stops, the page says so', async (t) => {
  const { background, url } = await stack(t, temporaryFolder(t));
  const { page } = await open(t, url, { width: 1200, height: 900 });
  await page.waitForSelector('#link[data-state="live"]');
  await background.stop();
  await page.waitForSelector('#link[data-state="lost"]');
});
