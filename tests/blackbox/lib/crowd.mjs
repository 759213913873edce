// A thousand applications that ask a cache-slave at the same time while something is wrong, and an oracle that judges
// every single answer: is the state one that may be at this moment, is what is granted what the vendor signed, does the
// explanation say what is the matter.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { Pool } from 'undici';

/// Questions asked at once unless told otherwise, each over a connection of its own.
const CROWD = 1000;

/// What one answer may take, on a busy machine, while a thousand others wait for it.
const ANSWER_DEADLINE_MS = 20_000;

/// What half of the crowd asks with POST; the other half asks for the license as a whole.
export const CROWD_QUESTIONS = [{ feature: 'sso' }, { feature: 'nodes', amount: 50 }, { feature: 'nodes', amount: 51 },
  { feature: 'never-sold' }];

/// The license that the tests with a crowd issue, and what it grants.
export const CROWD_LICENSE = ['--feature', 'sso', '--feature', 'nodes=50'];
export const CROWD_GRANT = { edition: 'enterprise', features: { sso: true, nodes: 50 } };

/// What an explanation must say in each state, whatever the fault.
const EXPLANATIONS = {
  synced: /^the master confirmed this cache .+ ago/,
  stale: /^the master confirmed this cache .+ ago; the cached license counts until its grace is over/,
  failed: /^(the master (confirmed this cache .+ ago|has never confirmed this cache)|licenses were lost with damage.+); /,
  expired: /\w{3}/,
};

/// A complaint about an answer ends its judgement.
function demand(condition, complaint) {
  if (!condition) throw new Error(complaint);
}

export class Oracle {
  /// `grants` is what the vendor signed: {id: {edition, features, ends_ms, revoked}}; `ends_ms` where that matters, and
  /// `revoked`, what the explanation says then, for a license that is known and grants nothing. `development` is the
  /// fallback's {edition, features}. The slave's times are read from it.
  static async of(slave, { grants, development }) {
    const oracle = new Oracle();
    const { ttl_ms, grace_ms } = await slave.syncStatus();
    Object.assign(oracle, { grants, development, ttl_ms, grace_ms });
    return oracle;
  }

  /// What is granted in a state; undefined: nothing, which is community.
  #granted(state, license_id) {
    if (this.grants[license_id]?.revoked) return undefined;
    if (state === 'synced' || state === 'stale') return this.grants[license_id];
    return state === 'failed' ? this.development : undefined;
  }

  #judgeAge({ sync_status: state, age_ms: age }) {
    const end_ms = this.ttl_ms + this.grace_ms;
    if (state === 'synced') demand(age !== null && age <= this.ttl_ms, `synced at an age of ${age} ms`);
    if (state === 'stale') demand(age > this.ttl_ms && age <= end_ms, `stale at an age of ${age} ms`);
    if (state === 'failed') demand(age === null || age > end_ms, `failed at an age of ${age} ms`);
  }

  #judgeReason({ sync_status: state, reason }, words, revoked) {
    if (revoked) {
      demand(revoked.test(reason), 'the reason does not tell of the revocation');
      return;
    }
    demand(EXPLANATIONS[state].test(reason), `the reason does not explain ${state}`);
    const lastTry = reason.split('; last try: ')[1];
    if (state === 'failed' && words) demand(lastTry, 'the reason does not say what the last try met');
    if (lastTry && words) demand(words.test(lastTry), `the last try does not say ${words}`);
  }

  /// What every kind of answer has in common. Gives what is granted, or undefined.
  #judgeCommon(answer, license_id, { states, words }, began_ms) {
    demand(states.includes(answer.sync_status), `the state is none of ${states}`);
    const granted = this.#granted(answer.sync_status, license_id);
    const bases = { synced: 'master', stale: 'cache', failed: 'development' };
    const basis = granted ? bases[answer.sync_status] : 'community';
    demand(answer.rests_on === basis, `it does not rest on ${basis}`);
    demand(answer.licensed === Boolean(granted), 'licensed is wrong');
    demand(answer.edition === (granted?.edition ?? 'community'), 'the edition is wrong');
    demand(!granted?.ends_ms || began_ms < granted.ends_ms, 'granted past its end');
    this.#judgeAge(answer);
    this.#judgeReason(answer, words, this.grants[license_id]?.revoked);
    return granted;
  }

  /// `began_ms` is when it was asked.
  judgeCurrent(answer, expected, began_ms) {
    const { license } = answer;
    const granted = this.#judgeCommon(answer, license.id, expected, began_ms);
    const known = this.grants[license.id] || (granted && granted === this.development);
    demand(known || (license.id === null && !granted), 'the vendor has signed no such license');
    demand(isDeepStrictEqual(answer.features, granted?.features ?? {}), 'the features are wrong');
    demand(isDeepStrictEqual(license.features, answer.features), 'the license has other features');
    demand(license.sync_status === answer.sync_status, 'the license has another state');
  }

  judgeCheck(answer, expected, began_ms) {
    const id = expected.license_id ?? Object.keys(this.grants)[0];
    const features = this.#judgeCommon(answer, id, expected, began_ms)?.features ?? {};
    demand(answer.allowed === false && answer.results.length === CROWD_QUESTIONS.length, 'not every question is answered');
    for (const [index, { feature, amount }] of CROWD_QUESTIONS.entries()) {
      const result = answer.results[index];
      const limit = features[feature];
      const allowed = limit === true || (typeof limit === 'number' && amount <= limit);
      demand(result.feature === feature && result.allowed === allowed, `${feature}, ${amount ?? ''}: allowed is wrong`);
      demand(allowed === (result.code === 'licensed'), `${feature}: the code is ${result.code}`);
    }
    const [{ code }] = answer.results;
    const why = answer.status === 'valid' ? 'no_master' : answer.status;
    if (!answer.licensed) demand(code === why, `the code is ${code}`);
  }
}

export class Crowd {
  /// Applications at `slave` until the test ends, their connections kept alive from wave to wave.
  constructor(t, slave, oracle) {
    this.oracle = oracle;
    this.pool = new Pool(slave.url, { connections: CROWD, pipelining: 1, headersTimeout: ANSWER_DEADLINE_MS,
      bodyTimeout: ANSWER_DEADLINE_MS });
    t.after(() => this.pool.destroy());
  }

  async #one(index, expected) {
    const began_ms = Date.now();
    const isCheck = index % 2 === 1 && expected.license_id !== 'any';
    const question = isCheck
      ? { path: '/api/licenses/check', method: 'POST', body: JSON.stringify({ checks: CROWD_QUESTIONS }) }
      : { path: '/api/licenses/current', method: 'GET' };
    const { statusCode, body } = await this.pool.request(question);
    const text = await body.text();
    try {
      demand(statusCode === 200, `the status is ${statusCode}`);
      const answer = JSON.parse(text);
      this.oracle[isCheck ? 'judgeCheck' : 'judgeCurrent'](answer, expected, began_ms);
      return answer.sync_status;
    } catch (error) {
      return { complaint: `${error.message}: ${text}` };
    }
  }

  /// Asks `count` questions at once and judges every answer. `expected` has `states` that may be now, `words` that the
  /// last try's problem must match, and `license_id`, that of the current license when there are several; it is 'any'
  /// when it may change meanwhile, and then nobody asks for features, because that answer names no license. Gives how
  /// often each state was.
  async ask(expected, count = CROWD) {
    const answers = await Promise.all(Array.from({ length: count }, (_, index) => this.#one(index, expected)));
    const complaints = answers.filter((answer) => answer.complaint);
    assert.equal(complaints.length, 0, `${complaints.length} of ${count} answers are wrong, the first: ${complaints[0]?.complaint}`);
    return answers.reduce((seen, state) => ({ ...seen, [state]: (seen[state] ?? 0) + 1 }), {});
  }
}
