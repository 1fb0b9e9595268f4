import { configDefaults, defineConfig } from 'vitest/config';

// What boots machines in an emulator takes minutes: `make test-emulated` runs it.
const isEmulated = process.env['HOLDFAST_EMULATED'] === '1';

export default defineConfig({
  test: {
    include: [isEmulated ? 'test/**/*.emulated.test.ts' : 'test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(isEmulated ? [] : ['test/**/*.emulated.test.ts'])],
    setupFiles: ['test/setup.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: isEmulated ? 1 : 2,
  },
});
