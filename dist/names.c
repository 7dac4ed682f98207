/* Linked into the static binary only. The C library looks names of hosts and users up through modules that
 * /etc/nsswitch.conf lists; those that are not built in would be loaded from the machine, and crash a static program
 * whose C library is of another version. So this program takes the two that are built in, whatever that file says:
 * files (/etc/hosts, /etc/passwd) and dns (/etc/resolv.conf). See docs/decisions/0019. */
#include <nss.h>

__attribute__((constructor)) static void look_names_up_with_what_is_built_in(void) {
    __nss_configure_lookup("hosts", "files dns");
    __nss_configure_lookup("passwd", "files");
    __nss_configure_lookup("group", "files");
}
