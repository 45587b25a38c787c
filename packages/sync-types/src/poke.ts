/** What the live stream says: that the feed has moved. Changes themselves come by pull alone. */
import { z } from 'zod';
import { MAX_CHECKPOINT_LENGTH } from './pull.js';

/** The data of each `poke` event of `GET {path}/stream`. */
export const syncPokeSchema = z
  .object({
    /**
     * The checkpoint of a client that has pulled everything. To be compared with the client's own, and never to be
     * stored: what lies between the two has not been pulled yet.
     */
    checkpoint: z.string().max(MAX_CHECKPOINT_LENGTH),
  })
  .readonly();
/** Tells a client that the feed has moved, or where it stands when the stream begins. */
export type SyncPoke = z.infer<typeof syncPokeSchema>;
