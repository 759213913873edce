// What a running process holds, as the kernel tells.
import { readFileSync, readdirSync } from 'node:fs';

/// Its open descriptors. lsys is closed to other processes of its user, so only root may count them; for others the
/// number is always 0, and a test that compares two of them proves nothing about descriptors.
export function openDescriptors(pid) {
  return process.getuid() === 0 ? readdirSync(`/proc/${pid}/fd`).length : 0;
}

export function residentKib(pid) {
  return Number(readFileSync(`/proc/${pid}/status`, 'latin1').match(/VmRSS:\s+(\d+)/)[1]);
}

export const residentBytes = (pid) => residentKib(pid) * 1024;
