/** How the contract's tests are declared. */
import { it } from 'vitest';
import type { OpenStore, StoreFixture } from './store-fixture.js';

/** What not every engine can do. */
export type StoreAbility = 'reopen' | 'openAnother' | 'makeNewer' | 'notes';
/** A store that can do it. */
export type AbleStore<Ability extends StoreAbility> = StoreFixture & Required<Pick<StoreFixture, Ability>>;

/** Ways to declare tests that each get a new store. */
export interface StoreTests {
  readonly storeTest: (title: string, work: (fixture: StoreFixture) => Promise<void>) => void;
  /** For what needs an ability; skipped for stores without it. */
  readonly storeTestWith: <Ability extends StoreAbility>(
    ability: Ability,
    title: string,
    work: (fixture: AbleStore<Ability>) => Promise<void>,
  ) => void;
}

export function storeTests(open: OpenStore): StoreTests {
  return {
    storeTest: (title, work) => it(title, () => withStore(open, work)),
    storeTestWith: (ability, title, work) =>
      it(title, (context) =>
        withStore(open, async (fixture) => {
          if (!isAble(fixture, ability)) context.skip(`This store has no ${ability}.`);
          else await work(fixture);
        }),
      ),
  };
}

/** Runs `work` with a new store and cleans up behind it. */
export async function withStore(open: OpenStore, work: (fixture: StoreFixture) => Promise<void>): Promise<void> {
  const fixture = await open();
  try {
    await work(fixture);
  } finally {
    await fixture.remove();
  }
}

function isAble<Ability extends StoreAbility>(fixture: StoreFixture, ability: Ability): fixture is AbleStore<Ability> {
  return fixture[ability] !== undefined;
}
