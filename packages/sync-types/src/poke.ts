/** The live stream's message that the feed has moved. The changes themselves come only by pull. */
import { z } from 'zod';
import { MAX_CHECKPOINT_LENGTH } from './pull.js';

/** The data of each `poke` event of `GET {path}/stream`. */
export const syncPokeSchema = z
  .object({
    /**
     * The checkpoint of a client that has pulled everything. Compare it with the client's own, and never store it: the
     * changes between the two have not been pulled yet.
     */
    checkpoint: z.string().max(MAX_CHECKPOINT_LENGTH),
  })
  .readonly();
/** Tells a client that the feed has moved, or where it stands when the stream begins. */
export type SyncPoke = z.infer<typeof syncPokeSchema>;
