// What a running process holds, as the kernel tells.
import { readFileSync, readdirSync } from 'node:fs';

/// lsys is closed to other processes of its user: only root may count its descriptors.
export const descriptorsCount = process.getuid() === 0;

/// Its open descriptors; 0 where they do not count, so that a test which compares two numbers goes on with the rest.
export function openDescriptors(pid) {
  return descriptorsCount ? readdirSync(`/proc/${pid}/fd`).length : 0;
}

export function residentKib(pid) {
  return Number(readFileSync(`/proc/${pid}/status`, 'latin1').match(/VmRSS:\s+(\d+)/)[1]);
}

export const residentBytes = (pid) => residentKib(pid) * 1024;
