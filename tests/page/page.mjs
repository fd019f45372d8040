// Runs the sandbox's page in headless Chromium. See README.md.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.SANDBOX ?? `${root}target/debug/lastmile-sandbox`;
const pictures = `${root}target/page`;
mkdirSync(pictures, { recursive: true });

/** A name that a page which does not escape would run. */
const HOSTILE = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">';

let checks = 0;
function check(what) {
  checks += 1;
  console.log(`  ok: ${what}`);
}

/** Starts the sandbox. Returns the process and the address of the page. */
async function start(...options) {
  const process_ = spawn(program, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: process_.stdout });
  let url;
  for await (const line of lines) {
    url ??= line.match(/^The page is at (\S+)\/$/)?.[1];
    if (line.startsWith('Ctrl-C')) break;
  }
  process_.stdout.resume();
  assert.ok(url, 'the program prints the address of its page');
  return { process: process_, url };
}

/** A client of a supplier, as a program of a user is one: not a page. */
class Client {
  constructor(url) {
    this.url = url;
  }

  async control(method, path, body) {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(`${this.url}${path}`, { method, headers, body: JSON.stringify(body) });
    return response.status === 204 ? null : response.json();
  }

  /** Places an ON-API order for the service that the example names. */
  async order(fields) {
    const supplier = await this.control('GET', '/suppliers/onapi');
    const step = supplier.example.find((one) => one.method === 'POST');
    const body = JSON.stringify({ ...JSON.parse(step.body), ...fields });
    const origin = new URL(supplier.baseUrl).origin;
    return fetch(`${origin}${step.path}`, { method: 'POST', headers: step.headers, body });
  }

  /** Sends the requests of Covage's example, with another reference. */
  async covageOrder(reference) {
    const supplier = await this.control('GET', '/suppliers/covage');
    const variables = {};
    const fill = (text) => text?.replace(/\$([A-Z]+)/g, (_, name) => variables[name]);
    for (const step of supplier.example) {
      const headers = Object.fromEntries(Object.entries(step.headers).map(([name, value]) => [name, fill(value)]));
      const body = fill(step.body)?.replace(/SP-\d+/, () => JSON.stringify(reference).slice(1, -1));
      const response = await fetch(`${supplier.baseUrl}${fill(step.path)}`, { method: step.method, headers, body });
      const answer = await response.json();
      assert.equal(response.status, 200, JSON.stringify(answer));
      if (step.sets) variables[step.sets.variable] = answer[step.sets.field];
    }
  }

  async customer(name) {
    const supplier = await this.control('GET', '/suppliers/cocon');
    const keys = Object.fromEntries(supplier.credentials.map((one) => [one.name, one.value]));
    const headers = { ...keys, 'content-type': 'application/json' };
    return fetch(`${supplier.baseUrl}/api/v1/customers`, { method: 'POST', headers, body: JSON.stringify({ name }) });
  }
}

/** Opens a page that fails the run if anything goes wrong in it, or if it asks another host for anything. */
async function open(browser, url, path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(`error: ${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!['data:', 'blob:'].includes(protocol) && origin !== url) problems.push(`another host: ${request.url()}`);
  });
  await page.goto(`${url}${path}`);
  return { page, problems, close: () => context.close() };
}

async function ordersMove(page, client) {
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  await page.evaluate(() => { window.sameDocument = true; });
  const orders = page.getByRole('region', { name: 'Orders of ON-API' });
  await page.getByRole('button', { name: 'Place an example order: ON-API' }).click();
  const row = orders.getByRole('row').filter({ hasText: 'SP-0001' });
  await row.getByText('RECEIVED').waitFor();
  check('an order that the page places appears');
  const day = page.getByRole('button', { name: 'Let a day pass: ON-API' });
  await day.click();
  await row.getByText('IN_PROGRESS').waitFor();
  await day.click();
  await row.getByText('DONE_SUCCESS').waitFor();
  check('it moves and ends');

  const response = await client.order({ spReference: 'from-a-program' });
  assert.equal(response.status, 201);
  const other = orders.getByRole('row').filter({ hasText: 'from-a-program' });
  await other.getByText('RECEIVED').waitFor();
  await other.getByRole('button', { name: /^Fail order/ }).click();
  await other.getByText('DONE_FAILED').waitFor();
  check('an order that a program places appears and is made to fail');

  for (const [name, state] of [['Cocon', 'Running'], ['Covage', 'submitted']]) {
    await page.getByRole('button', { name: `Place an example order: ${name}` }).click();
    const region = page.getByRole('region', { name: `Orders of ${name}` });
    await region.getByText(state).first().waitFor();
    await region.getByRole('button', { name: /^Finish/ }).first().click();
    await region.getByText(/^(Finished|completed)$/).first().waitFor();
  }
  check('the examples of Cocon and Covage appear and are finished');
  assert.equal(await page.evaluate(() => window.sameDocument), true);
  check('nothing of this needed a reload');
}

async function faultsWork(page, client) {
  const section = page.locator('#onapi');
  await section.getByRole('combobox', { name: 'Operation' }).selectOption('createOrder');
  await section.getByRole('combobox', { name: 'Fault' }).selectOption('unavailable');
  await section.getByRole('combobox', { name: 'Share of requests' }).selectOption('next');
  await section.getByRole('button', { name: 'Set the fault' }).click();
  const faults = section.getByRole('list', { name: 'Faults that are set' });
  await faults.getByText('next createOrder: unavailable:503').waitFor();
  const response = await client.order({ spReference: 'meets-a-fault' });
  assert.equal(response.status, 503);
  const requests = page.getByRole('region', { name: 'Requests to ON-API' });
  await requests.getByRole('row').filter({ hasText: '503' }).filter({ hasText: 'unavailable:503' }).waitFor();
  await faults.getByText('next createOrder').waitFor({ state: 'detached' });
  check('a fault button makes the next call fail, and the page says so');

  await section.getByRole('combobox', { name: 'Share of requests' }).selectOption('1');
  await section.getByRole('combobox', { name: 'Fault' }).selectOption('failed-after');
  await section.getByRole('button', { name: 'Set the fault' }).click();
  await faults.getByText('100 % of createOrder: failed-after:502').waitFor();
  assert.equal((await client.order({ spReference: 'took-effect' })).status, 502);
  await page.getByRole('region', { name: 'Orders of ON-API' }).getByText('took-effect').waitFor();
  await section.getByRole('button', { name: 'No faults' }).click();
  await faults.getByText('createOrder').waitFor({ state: 'detached' });
  const supplier = await client.control('GET', '/suppliers/onapi/faults');
  assert.deepEqual(supplier, []);
  check('faults of a share are set and cleared');

  await section.getByRole('combobox', { name: 'Operation' }).selectOption('*');
  await section.getByRole('combobox', { name: 'Share of requests' }).selectOption('next');
  await section.getByRole('button', { name: 'Set the fault' }).click();
  await page.getByRole('alert').getByText('Choose an operation').waitFor();
  await page.getByRole('button', { name: 'Let a day pass: Cocon' }).click();
  await page.getByRole('alert').waitFor({ state: 'hidden' });
  check('a mistake is explained, and the explanation goes');
}

async function hostileTextsAreShown(page, client) {
  await client.covageOrder(HOSTILE);
  await page.getByRole('region', { name: 'Orders of Covage' }).getByText(HOSTILE).waitFor();
  assert.equal((await client.customer(HOSTILE)).status, 200);
  await page.getByRole('region', { name: 'Orders of Cocon' }).getByText(HOSTILE).waitFor();
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator('main script, main img').count(), 0);
  check('a name with <script> is shown as text');
}

async function keyboardIsEnough(browser, url, client) {
  const { page, close } = await open(browser, url, '/');
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  const before = (await client.control('GET', '/suppliers/onapi')).time;
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the suppliers');
  const wanted = 'Let a day pass: ON-API';
  let reached = false;
  for (let presses = 0; presses < 200 && !reached; presses += 1) {
    await page.keyboard.press('Tab');
    reached = await page.evaluate((name) => document.activeElement.getAttribute('aria-label') === name, wanted);
  }
  assert.ok(reached, 'Tab reaches every button');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, 'none', 'the focus is visible');
  await page.keyboard.press('Enter');
  await page.waitForFunction(
    ([before]) => !document.querySelector('#onapi .time').textContent.startsWith(before.slice(0, 10)),
    [before],
  );
  const focused = await page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  assert.equal(focused, wanted, 'an update keeps the focus');
  check('the keyboard is enough, and the focus stays where it is');
  await close();
}

async function isAccessible(browser, url, colorScheme) {
  // The checker is a script of its own, which the page's policy rightly refuses.
  const { page, close } = await open(browser, url, '/', { colorScheme, bypassCSP: true });
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  await page.addScriptTag({ content: readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8') });
  const { violations } = await page.evaluate(() => window.axe.run());
  const found = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`);
  assert.deepEqual(found, [], `accessibility, ${colorScheme}`);
  check(`axe finds no violation (${colorScheme})`);
  await close();
}

async function referenceWorks(browser, url) {
  for (const [of, text] of [
    ['onapi', '1 API key applied'],
    ['covage', '1 API key applied'],
    ['cocon', '2 API keys applied'],
    ['control', 'Let simulated days pass at a supplier'],
  ]) {
    const { page, problems, close } = await open(browser, url, `/reference/?of=${of}`);
    await page.locator('rapi-doc').getByText(text).first().waitFor();
    await page.screenshot({ path: `${pictures}/reference-${of}.png` });
    assert.deepEqual(problems, [], `reference of ${of}`);
    await close();
  }
  check('the API references load with credentials, from no other host');
}

/** Uses the console of the reference page: reads the directory of ON-API with the credentials that are filled in. */
async function tryItWorks(browser, url, client) {
  const { page, problems, close } = await open(browser, url, '/reference/?of=onapi');
  const reference = page.locator('rapi-doc');
  await reference.getByText('1 API key applied').waitFor();
  await reference.locator('api-request').first().getByRole('button', { name: 'TRY' }).click();
  await reference.getByText('Response Status: OK:200').first().waitFor();
  const requests = await client.control('GET', '/suppliers/onapi/requests?operation=listEndpoints');
  assert.equal(requests.at(-1)?.status, 200);
  await page.screenshot({ path: `${pictures}/try-it.png` });
  assert.deepEqual(problems, []);
  check('the console sends a request with the credentials of the supplier');
  await close();
}

async function otherOriginsAreRefused(browser, url, client) {
  const other = createServer((_, response) => response.end('<!doctype html><title>other</title>'));
  await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
  const context = await browser.newContext();
  const page = await context.newPage();
  const before = await client.control('GET', '/state');
  await page.goto(`http://127.0.0.1:${other.address().port}/`);
  const outcomes = await page.evaluate(async (url) => {
    const attempt = async (path, init) => {
      try {
        await fetch(`${url}${path}`, init);
        return 'sent';
      } catch {
        return 'refused';
      }
    };
    const simple = { method: 'POST', mode: 'no-cors', body: '{}' };
    return [await attempt('/state'), await attempt('/reset', { method: 'POST' }), await attempt('/reset', simple)];
  }, url);
  assert.deepEqual(outcomes.slice(0, 2), ['refused', 'refused']);
  const after = await client.control('GET', '/state');
  const count = (state) => state.suppliers.map((one) => one.objectCount);
  assert.deepEqual(count(after), count(before), 'a page of another origin changes nothing');
  check('a page of another origin can neither read nor change anything');
  await context.close();
  other.close();
}

async function takePictures(browser, url) {
  for (const [name, options] of [
    ['light', { colorScheme: 'light' }],
    ['readme', { colorScheme: 'light', viewport: { width: 1280, height: 760 } }],
    ['dark', { colorScheme: 'dark' }],
    ['narrow', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
  ]) {
    const { page, problems, close } = await open(browser, url, '/', options);
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    await page.getByText('meets-a-fault').or(page.getByText('took-effect')).first().waitFor();
    const width = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(width <= 0, `${name}: the page is ${width} pixels too wide`);
    await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: name === 'narrow' });
    assert.deepEqual(problems, []);
    await close();
  }
  check(`pictures are in ${pictures}`);
}

/** With the clock `wall`, an order ends by itself. */
async function timePasses(browser) {
  const { process: sandbox, url } = await start('--speed', '864000');
  try {
    const { page, close } = await open(browser, url, '/');
    await page.getByRole('button', { name: 'Place an example order: Covage' }).click();
    await page.getByRole('region', { name: 'Orders of Covage' }).getByText('completed').waitFor();
    check('with the clock "wall", an order ends by itself');
    await close();
  } finally {
    sandbox.kill();
  }
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
const { process: sandbox, url } = await start('--clock', 'manual', '--seed', '1');
try {
  console.log(`Chromium ${browser.version()}, ${url}`);
  const client = new Client(url);
  const { page, problems, close } = await open(browser, url, '/');
  await ordersMove(page, client);
  await faultsWork(page, client);
  await takePictures(browser, url);
  await hostileTextsAreShown(page, client);
  assert.deepEqual(problems.filter((problem) => !problem.includes('status of 50')), []);
  check('the page had no error, and asked no other host for anything');
  await close();
  await keyboardIsEnough(browser, url, client);
  await isAccessible(browser, url, 'light');
  await isAccessible(browser, url, 'dark');
  await referenceWorks(browser, url);
  await tryItWorks(browser, url, client);
  await otherOriginsAreRefused(browser, url, client);
  await timePasses(browser);
  console.log(`${checks} checks, all green`);
} finally {
  sandbox.kill();
  await browser.close();
}
