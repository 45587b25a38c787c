/** How the contract's tests are declared. */
import type { TestFramework } from '@objectql/sync-types';
import type { OpenStore, StoreAbility, StoreFixture, StoreUnderTest } from './store-fixture.js';

/** A store that can do it. */
export type AbleStore<Ability extends StoreAbility> = StoreFixture & Required<Pick<StoreFixture, Ability>>;

/** Ways to declare tests that each get a new store. */
export interface StoreTests extends Pick<TestFramework, 'expect'> {
  readonly storeTest: (title: string, work: (fixture: StoreFixture) => Promise<void>) => void;
  /** For what needs an ability; not declared for stores that do not claim it. */
  readonly storeTestWith: <Ability extends StoreAbility>(
    ability: Ability,
    title: string,
    work: (fixture: AbleStore<Ability>) => Promise<void>,
  ) => void;
}

/** Ways to declare tests of one implementation in the caller's framework. */
export function storeTests({ open, abilities = [] }: StoreUnderTest, { it, expect }: TestFramework): StoreTests {
  return {
    expect,
    storeTest: (title, work) => void it(title, () => withStore(open, work)),
    storeTestWith: (ability, title, work) => {
      if (!abilities.includes(ability)) return;
      it(title, () =>
        withStore(open, async (fixture) => {
          if (!isAble(fixture, ability)) throw new Error(`The store claims ${ability}, and its fixture has none.`);
          await work(fixture);
        }),
      );
    },
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
