import { TestPlatform } from './test-platform.js';

/** A platform whose jitter is always a half, so that every backoff has one exact length. */
export class HalfJitterPlatform extends TestPlatform {
  override random(): number {
    return 0.5;
  }
}
