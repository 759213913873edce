// Asking a role over HTTP.
import { until } from './wait.mjs';

const ANSWER_DEADLINE_MS = 5000;

/// GET with a deadline: {status, headers, text, json} where json is undefined unless the answer is JSON.
export async function get(url, { headers, method = 'GET', body } = {}) {
  const response = await fetch(url, { method, headers, body, redirect: 'manual',
    signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

/// Waits until the URL answers 200 and, when given, `condition(json)` holds; gives the JSON (or text).
export function untilAnswer(url, condition = () => true, deadline_ms) {
  return until(`${url} to answer as expected`, async () => {
    const answer = await get(url);
    const value = answer.json ?? answer.text;
    if (answer.status !== 200) throw new Error(`status ${answer.status}: ${answer.text}`);
    if (!condition(value)) throw new Error(`the answer is ${answer.text.slice(0, 500)}`);
    return value;
  }, deadline_ms);
}
