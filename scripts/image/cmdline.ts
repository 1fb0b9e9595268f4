/**
 * The kernel's command line; measured into PCR1. A triple fault is the reboot that always ends an enclave; nothing is
 * left to wait for after a panic. Randomness is the NSM's, which init sees to, not the CPU's. Freed memory is cleared,
 * and the kernel does not open up its own memory to anybody. ramfs may take more than half of the memory; tmpfs may not.
 *
 * init is compiled with it too, and holds it against what the kernel was started with: no PCR tells where a kernel ends
 * and its command line begins.
 */
export const CMDLINE =
  'reboot=t panic=-1 oops=panic pci=off console=ttyS0 quiet random.trust_cpu=off random.trust_bootloader=off ' +
  'rootfstype=ramfs init_on_free=1 slab_nomerge vsyscall=none lockdown=confidentiality';
