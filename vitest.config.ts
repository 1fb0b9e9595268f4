import { defineConfig } from 'vitest/config';

const EMULATED = 'test/**/*.emulated.test.ts';
const shared = {
  setupFiles: ['test/setup.ts'],
  testTimeout: 180_000,
  hookTimeout: 180_000,
  maxWorkers: 2,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'everyday',
          include: ['test/**/*.test.ts'],
          exclude: [EMULATED, '**/node_modules/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Boots machines, which keep both cores busy for minutes: after all the rest. Skipped where there is no emulator.
        test: { ...shared, name: 'emulated', include: [EMULATED], sequence: { groupOrder: 1 } },
      },
    ],
  },
});
