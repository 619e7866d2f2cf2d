/* SPDX-License-Identifier: MIT */
/*
 * pairs.h - which call returned which error: counted in every test, by being included before all.
 *
 * Each function of the call table gets a macro of its own name, which counts what it returned.
 * Invariant: one macro for each call; tests/evil's table of calls compares itself with the table.
 */
#ifndef GUEST_PAIRS_H
#define GUEST_PAIRS_H

#include <exos/call.h>
#include <exos/gate.h>

/* Count it and hand it on. */
int64_t pair_count(uint32_t call, int64_t result);
/* The same of a gate call: one that came back was returned from, too. */
int64_t pair_count_gate(int64_t result);
/* All that was counted, on one line: ` CALL:ERROR=TIMES...`, calls in hex, error 0: success. */
void pairs_print(void);

#define exo_version(...) pair_count(EXO_CALL_version, exo_version(__VA_ARGS__))
#define exo_cap_narrow(...) pair_count(EXO_CALL_cap_narrow, exo_cap_narrow(__VA_ARGS__))
#define exo_cap_give(...) pair_count(EXO_CALL_cap_give, exo_cap_give(__VA_ARGS__))
#define exo_cap_drop(...) pair_count(EXO_CALL_cap_drop, exo_cap_drop(__VA_ARGS__))
#define exo_cap_revoke(...) pair_count(EXO_CALL_cap_revoke, exo_cap_revoke(__VA_ARGS__))
#define exo_retype(...) pair_count(EXO_CALL_retype, exo_retype(__VA_ARGS__))
#define exo_space_update(...) pair_count(EXO_CALL_space_update, exo_space_update(__VA_ARGS__))
#define exo_env_control(...) pair_count(EXO_CALL_env_control, exo_env_control(__VA_ARGS__))
#define exo_env_notify(...) pair_count(EXO_CALL_env_notify, exo_env_notify(__VA_ARGS__))
#define exo_env_alarm(...) pair_count(EXO_CALL_env_alarm, exo_env_alarm(__VA_ARGS__))
#define exo_doorbell(...) pair_count(EXO_CALL_doorbell, exo_doorbell(__VA_ARGS__))
#define exo_gate_make(...) pair_count(EXO_CALL_gate_make, exo_gate_make(__VA_ARGS__))
#define exo_slot_set(...) pair_count(EXO_CALL_slot_set, exo_slot_set(__VA_ARGS__))
#define exo_irq_bind(...) pair_count(EXO_CALL_irq_bind, exo_irq_bind(__VA_ARGS__))
#define exo_irq_ack(...) pair_count(EXO_CALL_irq_ack, exo_irq_ack(__VA_ARGS__))
#define exo_port_io(...) pair_count(EXO_CALL_port_io, exo_port_io(__VA_ARGS__))
#define exo_disk_bind(...) pair_count(EXO_CALL_disk_bind, exo_disk_bind(__VA_ARGS__))
#define exo_disk_kick(...) pair_count(EXO_CALL_disk_kick, exo_disk_kick(__VA_ARGS__))
#define exo_nic_narrow(...) pair_count(EXO_CALL_nic_narrow, exo_nic_narrow(__VA_ARGS__))
#define exo_nic_bind(...) pair_count(EXO_CALL_nic_bind, exo_nic_bind(__VA_ARGS__))
#define exo_nic_kick(...) pair_count(EXO_CALL_nic_kick, exo_nic_kick(__VA_ARGS__))
#define exo_vcpu_bind(...) pair_count(EXO_CALL_vcpu_bind, exo_vcpu_bind(__VA_ARGS__))
#define exo_vcpu_run(...) pair_count(EXO_CALL_vcpu_run, exo_vcpu_run(__VA_ARGS__))
#define exo_cap_ask(...) pair_count(EXO_CALL_cap_ask, exo_cap_ask(__VA_ARGS__))
#define exo_pci_config(...) pair_count(EXO_CALL_pci_config, exo_pci_config(__VA_ARGS__))
#define exo_pci_bind(...) pair_count(EXO_CALL_pci_bind, exo_pci_bind(__VA_ARGS__))
#define exo_pci_vector(...) pair_count(EXO_CALL_pci_vector, exo_pci_vector(__VA_ARGS__))
#define exo_pci_ack(...) pair_count(EXO_CALL_pci_ack, exo_pci_ack(__VA_ARGS__))
#define exo_pci_reset(...) pair_count(EXO_CALL_pci_reset, exo_pci_reset(__VA_ARGS__))
#define exo_prog_load(...) pair_count(EXO_CALL_prog_load, exo_prog_load(__VA_ARGS__))
#define exo_nic_prog(...) pair_count(EXO_CALL_nic_prog, exo_nic_prog(__VA_ARGS__))
#define exo_env_yield(...) pair_count(EXO_CALL_env_yield, exo_env_yield(__VA_ARGS__))
#define exo_env_wait(...) pair_count(EXO_CALL_env_wait, exo_env_wait(__VA_ARGS__))
#define exo_env_exit() (pair_count(EXO_CALL_env_exit, 0), exo_env_exit())
#define exo_env_notify_wait(...) \
	pair_count(EXO_CALL_env_notify_wait, exo_env_notify_wait(__VA_ARGS__))
#define exo_env_wait_until(...) pair_count(EXO_CALL_env_wait_until, exo_env_wait_until(__VA_ARGS__))
#define exos_gate_call_once(...) pair_count_gate(exos_gate_call_once(__VA_ARGS__))

#endif
