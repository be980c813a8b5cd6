"""Words of orders to an intersection: switch the plan, hold a stage, hand back, pre-empt."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

ORDERS: Words = {
    "order.plan": Word("Chuyển chương trình", "Switch plan"),
    "order.hold": Word("Giữ pha", "Hold a stage"),
    "order.release": Word("Trả lại tự động", "Hand back"),
    "order.preempt": Word("Mở đường ưu tiên", "Pre-empt"),
    "order.plan.choose": Word("Chương trình", "Plan"),
    "order.stage.choose": Word("Pha", "Stage"),
    "order.plan.scheduled": Word("theo lịch lúc này", "scheduled now"),
    "order.plan.running": Word("đang chạy", "running"),
    "order.stage.running": Word("đang xanh", "green now"),
    "order.cycle": Word("chu kỳ {n} s", "cycle {n} s", "cycle {n} s"),
    "order.for": Word("Tự hết hiệu lực sau", "Ends by itself after"),
    "order.minutes": Word("{n} phút", "{n} minutes", "{n} minute"),
    "order.seconds": Word("{n} giây", "{n} seconds", "{n} second"),
    "order.until-change": Word(
        "đến {time}, lịch đổi chương trình", "until {time}, the next scheduled change"
    ),
    "order.other": Word("Số phút khác", "Another number of minutes"),
    "order.reason": Word("Lý do", "Reason"),
    "order.reason.hint": Word(
        "Ghi vào sổ cùng tên của bạn; ít nhất 3 ký tự.",
        "Kept in the log beside your name; at least 3 characters.",
    ),
    "order.reason.event": Word("Sự kiện đông người", "Event with large crowds"),
    "order.reason.jam": Word("Ùn tắc kéo dài", "Long queues"),
    "order.reason.works": Word("Thi công hoặc sự cố trên đường", "Works or an incident"),
    "order.reason.police": Word("Theo yêu cầu của cảnh sát giao thông", "Asked for by the police"),
    "order.reason.over": Word("Tình huống đã kết thúc", "The situation is over"),
    "order.reason.ambulance": Word("Mở đường cho xe ưu tiên", "Emergency vehicle on its way"),
    "order.next": Word("Xem lại trước khi gửi", "Review before sending"),
    "order.cancel": Word("Hủy", "Cancel"),
    "order.back": Word("Sửa lại", "Change"),
    "order.close": Word("Đóng", "Close"),
    "order.confirm": Word("Xác nhận", "Confirm"),
    "order.send.plan": Word("Chuyển chương trình", "Switch plan"),
    "order.send.hold": Word("Giữ pha này", "Hold this stage"),
    "order.send.release": Word("Trả lại tự động", "Hand back"),
    "order.send.preempt": Word("Mở đường ngay", "Pre-empt now"),
    "order.say.plan": Word(
        "{place} chuyển sang chương trình {plan} trong {time}, rồi tự trở lại.",
        "{place} switches to plan {plan} for {time}, then returns by itself.",
    ),
    "order.say.hold": Word(
        "{place} giữ pha {stage} trong {time}, rồi tự trở lại. Các hướng khác chờ đỏ suốt thời gian đó.",
        "{place} holds stage {stage} for {time}, then returns by itself. All others wait on red meanwhile.",
    ),
    "order.say.release": Word(
        "Mọi lệnh đang có hiệu lực tại {place} chấm dứt. Nút về lại chế độ tự động khi đủ điều kiện.",
        "Every order that stands at {place} ends. The intersection is automatic again as soon as it is fit.",
    ),
    "order.say.preempt": Word(
        "{place} mở pha {stage} cho xe ưu tiên trong {time}, vượt trên lệnh của người vận hành.",
        "{place} brings stage {stage} for an emergency vehicle for {time}, above operators' orders.",
    ),
    "order.say.safe": Word(
        "Xanh tối thiểu, người đi bộ và đếm ngược đã hẹn luôn được giữ; việc chuyển có thể mất tới một chu kỳ.",
        "Minimum greens, pedestrians and running countdowns are kept; the change may take up to a cycle.",
    ),
    "order.standing": Word("Lệnh đang có hiệu lực", "Orders that stand"),
    "order.standing.none": Word(
        "Không có lệnh nào đang có hiệu lực tại nút này.", "No order stands at this intersection."
    ),
    "order.standing.plan": Word("Chương trình {plan}", "Plan {plan}"),
    "order.standing.plan.scheduled": Word("Chương trình theo lịch", "The scheduled plan"),
    "order.standing.hold": Word("Giữ pha {stage}", "Stage {stage} held"),
    "order.standing.preempt": Word("Ưu tiên khẩn cấp, pha {stage}", "Pre-emption, stage {stage}"),
    "order.standing.left": Word("còn {time}", "{time} left"),
    "order.standing.by": Word("{who}: {reason}", "{who}: {reason}"),
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
