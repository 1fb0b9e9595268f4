/**
 * Command line of the kernel; measured into PCR1. A triple fault is the reboot that always ends an enclave. Randomness
 * is the NSM's, which init sees to, not the CPU's. All other settings are in docker/kernel.config, where nothing can be
 * added to them.
 *
 * init is compiled with this command line too, and compares it with the one that the kernel was started with: no PCR
 * tells where a kernel ends and its command line begins.
 */
export const CMDLINE = 'reboot=t console=ttyS0 quiet random.trust_cpu=off random.trust_bootloader=off';
