// Damaging a role's state file while the role is stopped, as a dying disk or a careless hand does: bytes flipped,
// ranges and whole pages zeroed or overwritten, files cut short. Everything follows from a seed, which is printed.
import { closeSync, openSync, readdirSync, statSync, ftruncateSync, writeSync } from 'node:fs';
import path from 'node:path';

const PAGE = 4096;

/// Numbers that follow from a seed (mulberry32, public domain): next() is in [0, 1), below(n) an integer in [0, n).
export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(bound) {
    return Math.floor(this.next() * bound);
  }

  bytes(count) {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }

  pick(list) {
    return list[this.below(list.length)];
  }
}

/// How many rounds a loop of random faults makes, and the numbers it draws from. LSYS_FUZZ_ROUNDS lets it run longer,
/// and LSYS_FUZZ_SEED, which is printed, repeats what it draws.
export function randomRounds(t, rounds) {
  const seed = Number(process.env.LSYS_FUZZ_SEED ?? Date.now() % 1_000_000_007);
  t.diagnostic(`LSYS_FUZZ_SEED=${seed}`);
  return { rounds: Number(process.env.LSYS_FUZZ_ROUNDS ?? rounds), random: new Random(seed), seed };
}

const acts = {
  flip(random, file, size) {
    for (let i = 1 + random.below(16); i > 0; i -= 1) writeSync(file, random.bytes(1), 0, 1, random.below(size));
  },
  zero(random, file, size) {
    const at = random.below(size);
    const length = Math.min(1 + random.below(600), size - at);
    writeSync(file, Buffer.alloc(length), 0, length, at);
  },
  page(random, file, size) {
    const at = random.below(Math.ceil(size / PAGE)) * PAGE;
    const length = Math.min(PAGE, size - at);
    writeSync(file, random.below(2) ? random.bytes(length) : Buffer.alloc(length), 0, length, at);
  },
  cut(random, file, size) {
    ftruncateSync(file, random.below(size));
  },
};

/// Damages the state file of the data folder, its log, or the number kept beside it, in one random way, and says how.
export function damageState(random, dataDir) {
  const there = readdirSync(dataDir).filter((name) =>
    /^state\.db(-wal)?$|\.shelf$/.test(name) && statSync(path.join(dataDir, name)).size > 0).sort();
  const name = random.pick(there);
  const act = random.pick(Object.keys(acts));
  const file = openSync(path.join(dataDir, name), 'r+');
  acts[act](random, file, statSync(path.join(dataDir, name)).size);
  closeSync(file);
  return `${act} ${name}`;
}

/// The damaged files that were set aside in a data folder.
export function setAside(dataDir) {
  return readdirSync(dataDir).filter((name) => /^state\.db\.damaged-[^-]+$/.test(name));
}
