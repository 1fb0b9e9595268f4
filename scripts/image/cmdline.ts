/**
 * The kernel's command line; measured into PCR1. A triple fault is the reboot that always ends an enclave. Randomness is
 * the NSM's, which init sees to, not the CPU's. The rest is in docker/kernel.config, where nothing can be added to it.
 *
 * init is compiled with it too, and holds it against what the kernel was started with: no PCR tells where a kernel ends
 * and its command line begins.
 */
export const CMDLINE = 'reboot=t console=ttyS0 quiet random.trust_cpu=off random.trust_bootloader=off';
