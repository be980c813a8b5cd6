"""Words of orders to an intersection: switch the plan, hold a stage, hand back, pre-empt."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

ORDERING: Words = {
    "give.plan": Word("Chuyển chương trình", "Switch plan"),
    "give.hold": Word("Giữ pha", "Hold a stage"),
    "give.release": Word("Trả lại tự động", "Hand back"),
    "give.preempt": Word("Mở đường ưu tiên", "Pre-empt"),
    "give.none": Word(
        "Vai trò {role} chỉ xem, không ra lệnh cho đèn.",
        "The role {role} looks on and gives no orders to signals.",
    ),
    "give.plan.choose": Word("Chương trình", "Plan"),
    "give.stage.choose": Word("Pha", "Stage"),
    "give.plan.scheduled": Word("theo lịch lúc này", "scheduled now"),
    "give.plan.running": Word("đang chạy", "running"),
    "give.stage.running": Word("đang xanh", "green now"),
    "give.cycle": Word("chu kỳ {n} s", "cycle {n} s", "cycle {n} s"),
    "give.for": Word("Tự hết hiệu lực sau", "Ends by itself after"),
    "give.minutes": Word("{n} phút", "{n} minutes", "{n} minute"),
    "give.seconds": Word("{n} giây", "{n} seconds", "{n} second"),
    "give.until-change": Word(
        "đến {time}, khi lịch đổi chương trình", "until {time}, the next scheduled change"
    ),
    "give.other": Word("Số phút khác", "Another number of minutes"),
    "give.reason": Word("Lý do", "Reason"),
    "give.reason.hint": Word(
        "Ghi vào sổ cùng tên của bạn; ít nhất 3 ký tự.",
        "Kept in the log beside your name; at least 3 characters.",
    ),
    "give.reason.event": Word("Sự kiện đông người", "Event with large crowds"),
    "give.reason.jam": Word("Ùn tắc kéo dài", "Long queues"),
    "give.reason.works": Word("Thi công hoặc sự cố trên đường", "Works or an incident"),
    "give.reason.police": Word("Theo yêu cầu của cảnh sát giao thông", "Asked for by the police"),
    "give.reason.over": Word("Tình huống đã kết thúc", "The situation is over"),
    "give.reason.ambulance": Word("Mở đường cho xe ưu tiên", "Emergency vehicle on its way"),
    "give.next": Word("Xem lại trước khi gửi", "Review before sending"),
    "give.cancel": Word("Hủy", "Cancel"),
    "give.back": Word("Sửa lại", "Change"),
    "give.close": Word("Đóng", "Close"),
    "give.confirm": Word("Xác nhận", "Confirm"),
    "give.send.plan": Word("Chuyển chương trình", "Switch plan"),
    "give.send.hold": Word("Giữ pha này", "Hold this stage"),
    "give.send.release": Word("Trả lại tự động", "Hand back"),
    "give.send.preempt": Word("Mở đường ngay", "Pre-empt now"),
    "give.say.plan": Word(
        "{place} chuyển sang chương trình {plan} trong {time}, rồi tự trở lại.",
        "{place} switches to plan {plan} for {time}, then returns by itself.",
    ),
    "give.say.hold": Word(
        "{place} giữ pha {stage} trong {time}, rồi tự trở lại. Các hướng khác chờ đỏ suốt thời gian đó.",
        "{place} holds stage {stage} for {time}, then returns by itself. All others wait on red meanwhile.",
    ),
    "give.say.release": Word(
        "Mọi lệnh đang có hiệu lực tại {place} chấm dứt. Nút về lại chế độ tự động khi đủ điều kiện.",
        "Every order that stands at {place} ends. The intersection is automatic again as soon as it is fit.",
    ),
    "give.say.preempt": Word(
        "{place} mở pha {stage} cho xe ưu tiên trong {time}, vượt trên lệnh của người vận hành.",
        "{place} brings stage {stage} for an emergency vehicle for {time}, above operators' orders.",
    ),
    "give.say.safe": Word(
        "Xanh tối thiểu, người đi bộ và đếm ngược đã hẹn luôn được giữ; có thể mất tới một chu kỳ.",
        "Minimum greens, pedestrians and running countdowns are kept; the change may take up to a cycle.",
    ),
    "give.unheard": Word(
        "Không nghe gì từ nút này: hình có thể đã cũ, lệnh có thể không tới.",
        "Nothing is heard of this intersection: what is shown may be old, an order may not arrive.",
    ),
    "give.standing": Word("Lệnh đang có hiệu lực", "Orders that stand"),
    "give.standing.also": Word("Tại nút này đang có lệnh khác", "Another order stands here already"),
    "give.standing.none": Word(
        "Không có lệnh nào đang có hiệu lực tại nút này.", "No order stands at this intersection."
    ),
    "give.standing.plan": Word("Chương trình {plan}", "Plan {plan}"),
    "give.standing.plan.scheduled": Word("Chương trình theo lịch", "The scheduled plan"),
    "give.standing.hold": Word("Giữ pha {stage}", "Stage {stage} held"),
    "give.standing.preempt": Word("Ưu tiên khẩn cấp, pha {stage}", "Pre-emption, stage {stage}"),
    "give.standing.left": Word("còn {time}", "{time} left"),
    "give.standing.by": Word("{who}: {reason}", "{who}: {reason}"),
    "preview.title": Word("Xem trước việc chuyển", "Preview of the transition"),
    "preview.choose": Word("Chọn một chương trình để xem trước.", "Choose a plan to preview it."),
    "preview.none": Word(
        "Chưa xem trước được: tủ chưa báo trạng thái.", "No preview: the cabinet has not reported yet."
    ),
    "preview.now": Word("Nếu chuyển ngay bây giờ", "If it were switched now"),
    "preview.earliest": Word(
        "Pha đang xanh không thể kết thúc trước {n} s nữa.",
        "The running stage cannot end for another {n} s.",
        "The running stage cannot end for another {n} s.",
    ),
    "preview.committed": Word(
        "Giờ tắt của pha đang xanh đã được hẹn trên đèn đếm ngược và sẽ được giữ.",
        "The end of the running stage is committed on the countdown and will be kept.",
    ),
    "preview.step.ends": Word("Pha {stage}: hết xanh ngay", "Stage {stage}: its green ends at once"),
    "preview.step": Word(
        "Pha {stage}: xanh {n} s", "Stage {stage}: {n} s of green", "Stage {stage}: {n} s of green"
    ),
    "preview.in-step": Word(
        "Đúng nhịp chương trình sau {n} s.",
        "In step with the plan after {n} s.",
        "In step with the plan after {n} s.",
    ),
    "outcome.title": Word("Diễn biến tại tủ", "What the cabinet does"),
    "outcome.recorded": Word("Đã ghi vào sổ", "Recorded"),
    "outcome.taken": Word("Bộ điều khiển đã nhận", "Taken by the controller"),
    "outcome.shown": Word("Tủ xác nhận bằng đèn thật", "Confirmed by the cabinet's lamps"),
    "outcome.sending": Word("Đang gửi…", "Sending…"),
    "outcome.waiting": Word("Chờ tủ thực hiện…", "Waiting for the cabinet…"),
    "outcome.done": Word("Đã thực hiện sau {s} s.", "Done after {s} s."),
    "outcome.refused": Word("Bị từ chối; không có gì thay đổi.", "Refused; nothing has changed."),
    "outcome.unreachable": Word(
        "Bộ điều khiển không trả lời. Chưa biết lệnh có được nhận hay không; hãy xem nút giao.",
        "The controller does not answer. Nobody knows whether the order was taken; watch the intersection.",
    ),
    "outcome.ended": Word(
        "Lệnh đã hết hiệu lực trước khi tủ thực hiện.", "The order ended before the cabinet showed it."
    ),
    "outcome.again": Word("Thử lại", "Try again"),
    "outcome.now": Word("Tủ lúc này", "The cabinet now"),
    "send.unreachable": Word(
        "Không gửi được tới trung tâm; hãy kiểm tra kết nối.",
        "The centre cannot be reached; check the connection.",
    ),
    "send.required": Word("Hãy điền mục này.", "Fill this in."),
    "send.short": Word(
        "Hãy viết ít nhất {n} ký tự.", "Write at least {n} characters.", "Write at least {n} character."
    ),
    "send.range": Word("Hãy nhập số từ {low} đến {high}.", "Enter a number from {low} to {high}."),
    "send.choose": Word("Hãy chọn một mục.", "Choose one."),
    "send.signed-out": Word(
        "Phiên làm việc đã hết; hãy đăng nhập lại.", "Your session has ended; sign in again."
    ),
}
