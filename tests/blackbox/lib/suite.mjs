// What a whole suite shares is started in `before` and ends with the suite.
import { after } from 'node:test';

/// Call it in the body of `describe`. Gives a context with `after(function)` as tests have one; what is registered there,
/// also from inside `before`, runs after the suite's last test, the latest first.
export function suiteContext() {
  const endings = [];
  after(async () => {
    for (const end of endings.reverse()) await end();
  });
  return { after: (end) => endings.push(end) };
}
