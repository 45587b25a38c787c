import { defineConfig } from 'tsup';
import { libraryConfig } from '../../scripts/build/library-config.js';

export default defineConfig(libraryConfig(import.meta.url));
