"""Have Apptainer give root the capabilities that root has here, where they are not all that the kernel knows.

Without it every `exec` of root's asks for all of them, and is refused.
"""

import json
import subprocess
from pathlib import Path

#: By number, as capabilities(7) and the kernel's linux/capability.h list them.
NAMES = """
chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service
net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin
sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override
mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore
""".split()  # noqa: SIM905

status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
has = int(status["CapBnd"], 16)
last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
if has != (1 << (last + 1)) - 1:
    given = [f"CAP_{name.upper()}" for number, name in enumerate(NAMES) if has >> number & 1]
    subprocess.run(["apptainer", "config", "global", "--set", "root default capabilities", "file"], check=True)
    Path("/etc/apptainer/capability.json").write_text(json.dumps({"users": {"root": given}}))
