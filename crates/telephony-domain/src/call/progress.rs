//! Status reports of a call, and the result of machine detection.

use super::plan::MachineRule;
use super::report::{AnsweredBy, CallStatus};
use super::{Action, Call, Phase, Prompt};
use crate::time::Timestamp;

impl Call {
    pub(super) fn take_status(&mut self, status: CallStatus, now: Timestamp, actions: &mut Vec<Action>) {
        if self.phase == Phase::Over {
            return;
        }
        match status {
            _ if status.is_final() => {
                self.is_cut_off = self.is_speaking(now);
                self.end(actions);
            }
            CallStatus::InProgress => self.begin_time(now, actions),
            CallStatus::Queued if self.is_checked && self.answered.is_none() => {
                self.end(actions);
                actions.push(Action::Cancel);
            }
            CallStatus::Initiated | CallStatus::Ringing if self.answered.is_none() => self.ringing = Some(now),
            _ => {}
        }
    }

    pub(super) fn answered_by(&mut self, answered_by: AnsweredBy, now: Timestamp, actions: &mut Vec<Action>) {
        let Some(dialing) = self.plan.purpose.dialing() else { return };
        self.answered_by = Some(answered_by);
        if self.is_machine || matches!(self.phase, Phase::Closing(_) | Phase::Over) {
            return;
        }
        match answered_by {
            AnsweredBy::Human | AnsweredBy::Unknown => {}
            AnsweredBy::Fax => self.hang_up(actions),
            AnsweredBy::MachineStart | AnsweredBy::MachineEnd => match dialing.machine {
                MachineRule::Off => {}
                MachineRule::HangUp => self.hang_up(actions),
                MachineRule::LeaveMessage => {
                    self.is_machine = true;
                    if self.phase != Phase::Ringing {
                        self.leave_message(now, actions);
                    }
                }
            },
        }
    }

    /// Says the message once, or asks the agent to word one for its task.
    pub(super) fn leave_message(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if self.plan.purpose.agent_opens() {
            return self.ask(Prompt::LeaveMessage, now, actions);
        }
        match self.plan.purpose.message().cloned() {
            Some(message) => self.close(message, now, actions),
            None => self.hang_up(actions),
        }
    }
}
