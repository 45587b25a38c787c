/** The channels of a browser, as BroadcastChannel has them. */
import type { TabChannel } from '@objectql/plugin-sync/tabs';
import type { VirtualTime } from '../virtual-time.js';
import { OrderedLine } from './ordered-line.js';

/** Where a channel is open. */
export interface ChannelTab {
  readonly isGone: boolean;
  /** Numbers a message that it sends. */
  numberMessage(): number;
  /** True for a message of a dead tab that has died with it. */
  isLost(message: number): boolean;
  /** Lets the tab hear a message as soon as it can. */
  hear(work: () => void): void;
}

/** A message as tabs send it. */
export interface TabEnvelope {
  readonly from: string;
  readonly message: TabTold;
}

/** What is in it: of all kinds only the type is known here. */
export type TabTold = { readonly type: string } & Readonly<Record<string, unknown>>;

export interface TabChannelsParts {
  readonly time: VirtualTime;
  /** How long the next message is on its way. */
  readonly delay: () => number;
  /** What the others hear of a message, unless a rule is switched off the message itself; nothing if `undefined`. */
  readonly heard: (message: TabTold) => TabTold | undefined;
}

interface Member {
  readonly tab: ChannelTab;
  readonly onMessage: (message: unknown) => void;
  /** The way to each other member. */
  readonly lines: Map<Member, OrderedLine>;
}

export class TabChannels {
  readonly #parts: TabChannelsParts;
  readonly #membersByName = new Map<string, Set<Member>>();

  constructor(parts: TabChannelsParts) {
    this.#parts = parts;
  }

  open(name: string, tab: ChannelTab, onMessage: (message: unknown) => void): TabChannel {
    const members = this.#membersByName.get(name) ?? new Set();
    this.#membersByName.set(name, members);
    const member: Member = { tab, onMessage, lines: new Map() };
    members.add(member);
    return {
      post: (message) => {
        if (tab.isGone) return;
        if (!members.has(member)) throw new DOMException('The channel is closed.', 'InvalidStateError');
        this.#post(structuredClone(message) as TabEnvelope, member, members);
      },
      close: () => void members.delete(member),
    };
  }

  #post({ from, message }: TabEnvelope, sender: Member, members: ReadonlySet<Member>): void {
    const { time, delay, heard } = this.#parts;
    const told = heard(message);
    if (!told) return;
    const number = sender.tab.numberMessage();
    for (const member of members) {
      if (member === sender) continue;
      const line = sender.lines.get(member) ?? new OrderedLine(time);
      sender.lines.set(member, line);
      line.send(delay(), () => {
        if (sender.tab.isLost(number)) return;
        member.tab.hear(() => {
          if (members.has(member)) member.onMessage(structuredClone({ from, message: told }));
        });
      });
    }
  }
}
