/** A real Chromium for tests, from npm alone on Linux x64, or any one that `CHROMIUM_PATH` names. */
import { arch, platform } from 'node:process';

/** False where there is no Chromium to be had without installing one: such tests are skipped there, and say so. */
export const hasChromium = process.env.CHROMIUM_PATH !== undefined || (platform === 'linux' && arch === 'x64');

if (!hasChromium) {
  // biome-ignore lint/suspicious/noConsole: tests that nobody misses would be thought to have run.
  console.warn(`Tests in Chromium are skipped on ${platform} ${arch}. Set CHROMIUM_PATH to a Chromium to run them.`);
}

export interface ChromiumCommand {
  readonly executablePath: string;
  readonly args: readonly string[];
}

/** What to start, unpacked and ready. */
export async function chromiumCommand(): Promise<ChromiumCommand> {
  const args = ['--no-sandbox', '--disable-background-networking'];
  if (process.env.CHROMIUM_PATH !== undefined) return { executablePath: process.env.CHROMIUM_PATH, args };
  // The package unpacks the system libraries that Chromium needs only where it believes to be on Amazon's servers, and
  // it looks when it is imported.
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs20.x';
  process.env.AWS_LAMBDA_JS_RUNTIME ??= 'nodejs20.x';
  const { default: chromium } = await import('@sparticuz/chromium');
  return { executablePath: await chromium.executablePath(), args };
}
