/** I12 on live streams: they tell where the feed ends, and nothing else. */
import { readPlace } from './checkpoint.js';

const SIGN_OF_LIFE = ':\n\n';
const POKE = /^event: poke\ndata: \{"checkpoint":"([^"]+)"\}\n\n$/;

/** What a stream says that its reader need not know: anything but the end of the feed, in the reader's own terms. */
export function findStreamLeak(
  text: string,
  { asked, head }: { readonly asked: string | null; readonly head: number },
): string | undefined {
  if (text === SIGN_OF_LIFE) return undefined;
  const place = readPlace(POKE.exec(text)?.[1]);
  const isHarmless = place && place.place === place.seen && place.place <= head;
  if (isHarmless && place.scope === (readPlace(asked)?.scope ?? '')) return undefined;
  return `A stream for ${asked} said ${JSON.stringify(text)} at place ${head}.`;
}
