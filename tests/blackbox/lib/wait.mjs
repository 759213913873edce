// Waiting for a condition with a deadline: the only way tests wait.

export const DEADLINE_MS = 10_000;
const POLL_MS = 15;

/// Calls `condition` (may be async; an exception counts as "not yet") until it gives something truthy, and returns
/// that. Fails with `what`, and the last exception, when the deadline passes.
export async function until(what, condition, deadline_ms = DEADLINE_MS) {
  const end = performance.now() + deadline_ms;
  let last;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`waited ${deadline_ms} ms for ${what}${last ? `; last error: ${last.message}` : ''}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
