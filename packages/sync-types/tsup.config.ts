import { defineConfig } from 'tsup';
import { libraryConfig } from '../../scripts/build/library-config.ts';

export default defineConfig(libraryConfig(import.meta.url));
