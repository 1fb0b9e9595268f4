import { defineConfig } from 'vitest/config';

const EMULATED = 'test/**/*.emulated.test.ts';
const SYSTEMD = 'test/systemd/**/*.test.ts';
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
          exclude: [EMULATED, SYSTEMD, '**/node_modules/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Boots a container, and looks at a daemon's deadlines there: with nothing beside it. Skipped where it cannot.
        test: {
          ...shared,
          name: 'systemd',
          include: [SYSTEMD],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Boots machines, which keep two cores busy for minutes: after all the rest, and one file at a time, because an
        // enclave's deadlines are those of a real machine. Skipped where there is no emulator.
        test: {
          ...shared,
          name: 'emulated',
          include: [EMULATED],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
