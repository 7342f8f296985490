/* offline PROGRAM [ARGUMENT...]
 *
 * Runs a program in which nobody may make a socket of the internet: who tries dies of SIGSYS, in this process and its children. It needs no
 * privileges. (seccomp(2), Documentation/userspace-api/seccomp_filter.rst of Linux) */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(what) BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, what))
#define IF(value, yes, no) BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

int
main (int argc, char **argv)
{
  struct sock_filter code[] = {
    LOAD (nr),
    IF (SYS_socket, 0, 4),
    LOAD (args[0]),
    IF (AF_INET, 1, 0),
    IF (AF_INET6, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = { sizeof code / sizeof *code, code };
  if (argc < 2 || prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    perror ("offline");
    return 125;
  }
  execvp (argv[1], argv + 1);
  perror (argv[1]);
  return 127;
}
